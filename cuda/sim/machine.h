// The simulator's scheduler: lanes, what they wait for, and when they go on. What it promises is in
// cuda/sim/block.h.
#pragma once

#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "cuda/sim/block.h"
#include "cuda/sim/fiber.h"

namespace limoe::cuda::sim {

enum class State { unstarted, ready, at_barrier, at_meeting, at_collective, returned };

struct Copy {
  void* to;
  const void* from;
  size_t bytes, zeros_behind;
};

struct Lane {
  State state = State::unstarted;
  Fiber* fiber = nullptr;
  Where where;            // it waits at
  const char* what = "";  // it waits for
  unsigned mask = 0;
  unsigned barriers = 0;     // of the block, passed so far
  unsigned collectives = 0;  // passed so far; the parity says which half of the slots is in use
  Index3 thread;
  std::vector<Copy> open_copies;
  std::deque<std::vector<Copy>> committed_copies;
  std::vector<std::function<void()>> open_products;
  std::deque<std::vector<std::function<void()>>> committed_products;
};

// A barrier of its own number, for some warps of a block (meet_at() of cuda/mma.cuh).
struct Meeting {
  int expected = 0, arrived = 0;  // lanes
  unsigned turn = 0;              // how often all came
  uint64_t order[2] = {};         // the addresses ThreadSanitizer knows it by, in turn
};
inline constexpr int kMeetings = 16;

struct Slots {
  unsigned char bytes[2][kWarpSize][kMostExchanged];
  uint64_t order[2];  // the addresses ThreadSanitizer knows a warp's barriers by, in turn
};

// Shared memory begins where a panel may (cuda/mma.cuh).
inline constexpr std::align_val_t kSharedAlignment{1024};
struct SharedDeleter {
  void operator()(unsigned char* block) const { ::operator delete[](block, kSharedAlignment); }
};

// Runs one block at a time. There is one, kept for the whole program, because fibers are dear to make.
class Machine {
 public:
  void run(const std::string& kernel, const LaunchShape& shape, const std::function<void()>& body);

  // Called by lanes.
  void park(State state, const char* what, unsigned mask, const Where& where);
  Lane& running() { return *running_; }
  Slots& slots_of_running() { return slots_[size_t(running_ - lanes_.data()) / kWarpSize]; }
  void* shared() { return shared_.get(); }
  // True when the running lane was the last of `lanes`: those that wait go on.
  bool arrive(int barrier, int lanes, const Where& where);
  uint64_t* order_of(int barrier, const Where& where);
  std::string lane_name(const Lane& lane) const;
  [[noreturn]] void fail(const Lane& lane, const Where& where, const std::string& what) const;

 private:
  void prepare(size_t lanes);
  void run_block();
  void resume(Lane& lane);
  bool run_lanes(size_t begin, size_t end);
  bool release_warp(size_t first);
  bool release_collective(size_t first, size_t lane);
  bool release_barrier();
  void order_lanes(size_t count, uint64_t turn);
  void expect_returned() const;
  static void lane_body(void* machine);

  std::string kernel_;
  const std::function<void()>* body_ = nullptr;
  LaunchShape shape_;
  std::vector<Lane> lanes_;
  std::vector<Slots> slots_;  // by warp
  Meeting meetings_[kMeetings];
  std::vector<size_t> order_;
  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::unique_ptr<unsigned char[], SharedDeleter> shared_;
  std::unique_ptr<Fiber> scheduler_;
  Lane* running_ = nullptr;
  std::exception_ptr error_;
  // Addresses ThreadSanitizer knows an order by: what was before a block, its lanes' ends, and where lanes
  // were left waiting. A lane that has ended orders nothing for one that begins later.
  uint64_t begin_order_ = 0, end_order_ = 0, abandoned_order_ = 0;
};

Machine& machine();

}  // namespace limoe::cuda::sim
