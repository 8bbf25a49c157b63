#include "cuda/sim/machine.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <string_view>

#include "cuda/sim/sanitizers.h"
#include "tensor/error.h"
#include "tensor/random.h"

namespace limoe::cuda::sim {
namespace {

std::string place(const Where& where) {
  std::string_view file = where.file;
  file = file.substr(file.rfind('/') + 1);
  return concatenate(file, ":", where.line);
}

bool same_place(const Where& a, const Where& b) {
  return a.line == b.line && a.column == b.column && std::strcmp(a.file, b.file) == 0;
}

}  // namespace

Machine& machine() {
  static auto* const one = new Machine();
  return *one;
}

std::string Machine::lane_name(const Lane& lane) const {
  const size_t index = size_t(&lane - lanes_.data());
  return concatenate("block (", running_block.x, ", ", running_block.y, ", ", running_block.z, "), lane ",
                     index);
}

void Machine::fail(const Lane& lane, const Where& where, const std::string& what) const {
  throw CudaError(kernel_, ": ", lane_name(lane), ", ", place(where), ": ", what);
}

LIMOE_UNSEEN_BY_TSAN void Machine::lane_body(void* opaque) {
  Machine& self = *static_cast<Machine*>(opaque);
  for (;;) {
    Lane& lane = *self.running_;
    tsan_acquire(&self.begin_order_);
    try {
      (*self.body_)();
    } catch (...) {
      if (!self.error_) self.error_ = std::current_exception();
    }
    tsan_release(&self.end_order_);
    lane.state = State::returned;
    switch_to(*lane.fiber, *self.scheduler_);
  }
}

LIMOE_UNSEEN_BY_TSAN void Machine::park(State state, const char* what, unsigned mask, const Where& where) {
  Lane& lane = *running_;
  lane.state = state;
  lane.what = what;
  lane.mask = mask;
  lane.where = where;
  tsan_release(&abandoned_order_);
  switch_to(*lane.fiber, *scheduler_);
}

LIMOE_UNSEEN_BY_TSAN void Machine::resume(Lane& lane) {
  running_ = &lane;
  running_thread = lane.thread;
  lane.state = State::ready;
  switch_to(*scheduler_, *lane.fiber);
  running_ = nullptr;
  if (error_) std::rethrow_exception(error_);
}

LIMOE_UNSEEN_BY_TSAN void Machine::prepare(size_t lanes) {
  if (!scheduler_) scheduler_ = std::make_unique<Fiber>();
  while (fibers_.size() < lanes) fibers_.push_back(std::make_unique<Fiber>(&Machine::lane_body, this));
  lanes_.resize(lanes);
  slots_.resize(lanes / kWarpSize);
  order_.resize(lanes);
  for (size_t i = 0; i < lanes; ++i) {
    lanes_[i].fiber = fibers_[i].get();
    lanes_[i].thread = {unsigned(i) % unsigned(shape_.block), unsigned(i) / unsigned(shape_.block), 0};
  }
  shared_.reset(shape_.shared_bytes ? new (kSharedAlignment) unsigned char[shape_.shared_bytes] : nullptr);
}

LIMOE_UNSEEN_BY_TSAN void Machine::order_lanes(size_t count, uint64_t turn) {
  std::iota(order_.begin(), order_.end(), size_t{0});
  if (lane_order() == LaneOrder::reverse) std::reverse(order_.begin(), order_.end());
  if (lane_order() == LaneOrder::shuffled)
    for (size_t i = count; i > 1; --i)
      std::swap(order_[i - 1], order_[size_t(random_below(i, lane_order_seed(), turn, i))]);
}

// The lanes that wait with lane `lane` of the warp that begins at `first`: lets them go when all are there.
LIMOE_UNSEEN_BY_TSAN bool Machine::release_collective(size_t first, size_t lane) {
  const Lane& asks = lanes_[first + lane];
  for (size_t i = 0; i < kWarpSize; ++i) {
    if (!(asks.mask >> i & 1)) continue;
    const Lane& other = lanes_[first + i];
    if (other.state == State::returned)
      fail(asks, asks.where, concatenate(asks.what, " with lane ", first + i, ", which has returned"));
    if (other.state == State::at_barrier)
      fail(asks, asks.where,
           concatenate(asks.what, " with lane ", first + i, ", which waits at ", other.what, " in ",
                       place(other.where)));
    if (other.state != State::at_collective) return false;
    if (other.mask != asks.mask || std::strcmp(other.what, asks.what) != 0 ||
        !same_place(other.where, asks.where))
      fail(asks, asks.where,
           concatenate(asks.what, " with lane ", first + i, ", which waits at ", other.what, " in ",
                       place(other.where), "; expected all lanes of the mask at the same place"));
  }
  for (size_t i = 0; i < kWarpSize; ++i)
    if (asks.mask >> i & 1) lanes_[first + i].state = State::ready;
  return true;
}

LIMOE_UNSEEN_BY_TSAN bool Machine::release_warp(size_t first) {
  bool released = false;
  for (size_t lane = 0; lane < kWarpSize; ++lane)
    if (lanes_[first + lane].state == State::at_collective)
      released = release_collective(first, lane) || released;
  return released;
}

// Those of order_[begin..end-1] that are ready, each until it waits or returns.
LIMOE_UNSEEN_BY_TSAN bool Machine::run_lanes(size_t begin, size_t end) {
  bool ran = false;
  for (size_t i = begin; i < end; ++i)
    if (lanes_[order_[i]].state == State::ready) {
      resume(lanes_[order_[i]]);
      ran = true;
    }
  return ran;
}

// All lanes of the block at one barrier.
LIMOE_UNSEEN_BY_TSAN bool Machine::release_barrier() {
  const Lane* waits = nullptr;
  const Lane* returned = nullptr;
  for (const Lane& lane : lanes_) {
    if (lane.state == State::ready || lane.state == State::at_collective || lane.state == State::at_meeting)
      return false;
    if (lane.state == State::returned) {
      returned = &lane;
      continue;
    }
    if (waits && !same_place(waits->where, lane.where))
      fail(lane, lane.where,
           concatenate("waits at this barrier while lane ", waits - lanes_.data(), " waits at the one in ",
                       place(waits->where)));
    waits = &lane;
  }
  if (!waits) return false;
  if (returned)
    fail(*waits, waits->where,
         concatenate("waits at a barrier that lane ", returned - lanes_.data(),
                     " will not reach: it has returned"));
  for (Lane& lane : lanes_) lane.state = State::ready;
  return true;
}

LIMOE_UNSEEN_BY_TSAN uint64_t* Machine::order_of(int barrier, const Where& where) {
  if (barrier < 1 || barrier >= kMeetings)
    fail(*running_, where, concatenate("barrier ", barrier, "; expected 1 to ", kMeetings - 1));
  Meeting& meeting = meetings_[barrier];
  return &meeting.order[meeting.turn % 2];
}

LIMOE_UNSEEN_BY_TSAN bool Machine::arrive(int barrier, int lanes, const Where& where) {
  Meeting& meeting = meetings_[barrier];
  if (lanes < kWarpSize || lanes % kWarpSize != 0 || (meeting.arrived > 0 && meeting.expected != lanes))
    fail(*running_, where,
         concatenate("barrier ", barrier, " for ", lanes, " lanes; expected ",
                     meeting.arrived > 0 ? concatenate(meeting.expected, ", as others did")
                                         : std::string("whole warps")));
  meeting.expected = lanes;
  if (++meeting.arrived < lanes) return false;
  meeting.arrived = 0;
  ++meeting.turn;
  for (Lane& lane : lanes_)
    if (lane.state == State::at_meeting && lane.mask == unsigned(barrier)) lane.state = State::ready;
  return true;
}

LIMOE_UNSEEN_BY_TSAN void Machine::expect_returned() const {
  for (int barrier = 0; barrier < kMeetings; ++barrier)
    if (meetings_[barrier].arrived > 0 && std::all_of(lanes_.begin(), lanes_.end(), [](const Lane& lane) {
          return lane.state == State::returned;
        }))
      fail(lanes_.front(), lanes_.front().where,
           concatenate("all returned while barrier ", barrier, " had ", meetings_[barrier].arrived, " of ",
                       meetings_[barrier].expected, " lanes"));
  for (const Lane& lane : lanes_) {
    if (lane.state != State::returned) fail(lane, lane.where, concatenate("waits for ever at ", lane.what));
    if (!lane.open_copies.empty() || !lane.committed_copies.empty())
      fail(lane, lane.where, "returned before it waited for its asynchronous copies");
    if (!lane.open_products.empty() || !lane.committed_products.empty())
      fail(lane, lane.where, "returned before it waited for its warpgroup's products");
  }
}

LIMOE_UNSEEN_BY_TSAN void Machine::run_block() {
  if (shape_.shared_bytes) std::memset(shared_.get(), 0xff, shape_.shared_bytes);
  for (Lane& lane : lanes_) {
    lane.state = State::ready;
    lane.barriers = lane.collectives = 0;
    lane.open_copies.clear();
    lane.committed_copies.clear();
    lane.open_products.clear();
    lane.committed_products.clear();
  }
  for (Meeting& meeting : meetings_) meeting.arrived = 0;
  tsan_release(&begin_order_);
  uint64_t turn = (uint64_t(running_block.z) << 42) + (uint64_t(running_block.y) << 21) + running_block.x;
  for (bool progressed = true; progressed;) {
    const size_t lanes = lanes_.size();
    order_lanes(lanes, turn++);
    progressed = false;
    if (lane_order() == LaneOrder::reverse) {
      // A warp as far as it gets, then the one before it.
      for (size_t begin = 0; begin < lanes; begin += kWarpSize)
        while (run_lanes(begin, begin + kWarpSize) || release_warp(lanes - begin - kWarpSize))
          progressed = true;
    } else {
      progressed = run_lanes(0, lanes);
      for (size_t first = 0; first < lanes; first += kWarpSize)
        progressed = release_warp(first) || progressed;
    }
    progressed = release_barrier() || progressed;
  }
  tsan_acquire(&end_order_);
  expect_returned();
}

LIMOE_UNSEEN_BY_TSAN void Machine::run(const std::string& kernel, const LaunchShape& shape,
                                       const std::function<void()>& body) {
  kernel_ = kernel;
  shape_ = shape;
  body_ = &body;
  error_ = nullptr;
  prepare(size_t(shape.block) * size_t(shape.block_y));
  running_block_shape = {unsigned(shape.block), unsigned(shape.block_y), 1};
  running_grid_shape = {unsigned(shape.grid.x), unsigned(shape.grid.y), unsigned(shape.grid.z)};
  const int64_t blocks = shape.grid.x * shape.grid.y * shape.grid.z;
  try {
    for (int64_t i = 0; i < blocks; ++i) {
      // Blocks may come in any order as well.
      const int64_t block = lane_order() == LaneOrder::forward ? i : blocks - 1 - i;
      running_block = {unsigned(block % shape.grid.x), unsigned(block / shape.grid.x % shape.grid.y),
                       unsigned(block / shape.grid.x / shape.grid.y)};
      run_block();
    }
  } catch (...) {
    // Lanes that still wait are forgotten, with what their stacks hold: kernels own nothing.
    tsan_acquire(&end_order_);
    tsan_acquire(&abandoned_order_);
    for (auto& fiber : fibers_) fiber->restart();
    throw;
  }
}

}  // namespace limoe::cuda::sim
