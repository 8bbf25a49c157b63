#include "tensor/parallel.h"

#include <doctest/doctest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "tensor/error.h"

using namespace limoe;

namespace {

// Sets the number of threads for a test, and puts it back.
class Threads {
 public:
  explicit Threads(int n) : before_(thread_count()) { set_thread_count(n); }
  ~Threads() { set_thread_count(before_); }

 private:
  const int before_;
};

using Runs = std::set<std::pair<int64_t, int64_t>>;

Runs runs_of(int64_t count, int64_t grain) {
  Runs runs;
  std::mutex mutex;
  parallel_for(count, grain, [&](int64_t begin, int64_t end) {
    const std::lock_guard lock(mutex);
    const bool is_new = runs.emplace(begin, end).second;
    CHECK(is_new);
  });
  return runs;
}

}  // namespace

TEST_CASE("parallel: the cut depends on count and grain alone") {
  for (const int threads : {1, 2, 3, 7}) {
    const Threads scope(threads);
    CHECK(runs_of(10, 4) == Runs{{0, 4}, {4, 8}, {8, 10}});
    CHECK(runs_of(8, 4) == Runs{{0, 4}, {4, 8}});
    CHECK(runs_of(3, 100) == Runs{{0, 3}});
    CHECK(runs_of(3, 0) == Runs{{0, 1}, {1, 2}, {2, 3}});
    CHECK(runs_of(0, 4).empty());
    CHECK(runs_of(-5, 4).empty());
    CHECK(runs_of(1000, 1).size() == 1000);
  }
  CHECK(run_count(10, 4) == 3);
  CHECK(run_count(0, 4) == 0);
}

TEST_CASE("parallel: an exception reaches the caller after all other runs have ended") {
  for (const int threads : {1, 2, 4}) {
    const Threads scope(threads);
    std::atomic<int> ended{0};
    const auto body = [&](int64_t begin, int64_t) {
      if (begin == 3) throw ValueError("run 3 is broken");
      ++ended;
    };
    CHECK_THROWS_WITH_AS(parallel_for(20, 1, body), "run 3 is broken", ValueError);
    CHECK(ended == 19);
    CHECK(runs_of(10, 1).size() == 10);  // the pool works on
  }
}

TEST_CASE("parallel: of several exceptions one reaches the caller") {
  const Threads scope(4);
  CHECK_THROWS_AS(parallel_for(100, 1, [](int64_t, int64_t) { throw std::runtime_error("x"); }),
                  std::runtime_error);
}

TEST_CASE("parallel: a call from inside a body runs on the calling thread alone") {
  for (const int threads : {1, 3}) {
    const Threads scope(threads);
    std::atomic<int64_t> sum{0};
    std::atomic<int> strangers{0};
    parallel_for(8, 1, [&](int64_t, int64_t) {
      const std::thread::id outer = std::this_thread::get_id();
      parallel_for(100, 7, [&](int64_t begin, int64_t end) {
        strangers += std::this_thread::get_id() != outer;
        parallel_for(end - begin, 1, [&](int64_t, int64_t) { ++sum; });
      });
    });
    CHECK(sum == 800);
    CHECK(strangers == 0);
  }
}

TEST_CASE("parallel: an exception inside a nested call reaches the outermost caller") {
  const Threads scope(3);
  const auto inner = [](int64_t begin, int64_t) {
    if (begin == 5) throw ValueError("deep");
  };
  CHECK_THROWS_WITH_AS(parallel_for(4, 1, [&](int64_t, int64_t) { parallel_for(10, 1, inner); }), "deep",
                       ValueError);
}

TEST_CASE("parallel: many tiny jobs from several threads at once all run to their end") {
  const Threads scope(3);
  std::vector<std::thread> callers;
  std::atomic<int> wrong{0};
  for (int caller = 0; caller < 4; ++caller)
    callers.emplace_back([&] {
      for (int job = 0; job < 500; ++job) {
        // Not atomic: the call must order the runs before its return.
        int64_t values[16] = {};
        parallel_for(16, 1, [&](int64_t begin, int64_t) { values[begin] = begin + job; });
        for (int64_t i = 0; i < 16; ++i) wrong += values[i] != i + job;
      }
    });
  for (std::thread& caller : callers) caller.join();
  CHECK(wrong == 0);
}

TEST_CASE("parallel: the number of threads can be changed between jobs") {
  for (int round = 0; round < 20; ++round) {
    const Threads scope(1 + round % 4);
    CHECK(thread_count() == 1 + round % 4);
    CHECK(runs_of(50, 3).size() == 17);
  }
  CHECK_THROWS_WITH_AS(set_thread_count(0), "threads: is 0; expected 1 or more", ValueError);
}

TEST_CASE("parallel: a reduction over partials has the same bits on any number of threads") {
  const int64_t count = 100003, grain = 1000;
  std::vector<float> x(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) x[size_t(i)] = 1.0f / float(i + 1);
  const auto sum = [&] {
    std::vector<float> partial(size_t(run_count(count, grain)));
    parallel_for(count, grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) partial[size_t(begin / grain)] += x[size_t(i)];
    });
    float total = 0;
    for (const float part : partial) total += part;
    return total;
  };
  float alone = 0;
  {
    const Threads scope(1);
    alone = sum();
  }
  for (const int threads : {2, 3, 8}) {
    const Threads scope(threads);
    CHECK(sum() == alone);
  }
}

TEST_CASE("parallel: every thread begins with its own part of the runs") {
  for (const int threads : {1, 2, 3, 5}) {
    const Threads scope(threads);
    std::mutex mutex;
    std::map<std::thread::id, int64_t> first;  // run of each thread
    parallel_for(int64_t(10) * threads, 1, [&](int64_t run, int64_t) {
      const auto begun = [&] {
        const std::lock_guard lock(mutex);
        first.emplace(std::this_thread::get_id(), run);
        return int(first.size());
      };
      while (begun() < threads) std::this_thread::yield();
    });
    std::set<int64_t> begins;
    for (const auto& [thread, run] : first) begins.insert(run);
    std::set<int64_t> expected;
    for (int64_t thread = 0; thread < threads; ++thread) expected.insert(10 * thread);
    CHECK(begins == expected);
    CHECK(first.at(std::this_thread::get_id()) == 0);
  }
}
