// Work shared among the CPU's threads, with the same bits for any number of them.
//
// [0, count) is cut into runs of `grain`; the cut depends on count and grain alone, never on the number of
// threads, and a body may depend only on its own run. So a result cannot depend on who computed what. A
// reduction writes one partial per run and adds the partials in order.
#pragma once

#include <cstdint>

namespace limoe {

int thread_count();            // at first: LIMOE_THREADS, else what the machine has
void set_thread_count(int n);  // throws ValueError for n < 1; not while work is running

namespace detail {
using RangeBody = void (*)(void* context, int64_t begin, int64_t end);
void run_parallel(int64_t count, int64_t grain, RangeBody body, void* context);
}  // namespace detail

// body(begin, end) for each run. A call from inside a body runs on the calling thread alone. An exception
// thrown by a body reaches the caller after all runs have ended.
template <class Body>
void parallel_for(int64_t count, int64_t grain, const Body& body) {
  detail::run_parallel(
      count, grain,
      [](void* context, int64_t begin, int64_t end) { (*static_cast<const Body*>(context))(begin, end); },
      const_cast<void*>(static_cast<const void*>(&body)));
}

inline int64_t run_count(int64_t count, int64_t grain) {
  return (count + grain - 1) / grain;
}

}  // namespace limoe
