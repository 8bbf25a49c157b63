#include "cuda/sim/block.h"

#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string_view>

#include "cuda/sim/machine.h"
#include "cuda/sim/sanitizers.h"
#include "tensor/error.h"

namespace limoe::cuda::sim {

Index3 running_thread, running_block, running_block_shape, running_grid_shape;

namespace {

LaneOrder initial_order() {
  const char* const name = std::getenv("LIMOE_SIM_ORDER");
  if (!name || std::string_view(name) == "forward") return LaneOrder::forward;
  if (std::string_view(name) == "reverse") return LaneOrder::reverse;
  if (std::string_view(name) == "shuffled") return LaneOrder::shuffled;
  throw ValueError("LIMOE_SIM_ORDER is \"", name, "\"; expected forward, reverse or shuffled");
}

LaneOrder& chosen_order() {
  static LaneOrder order = initial_order();
  return order;
}
uint64_t order_seed = 0;

std::mutex one_launch;  // at a time

}  // namespace

void set_lane_order(LaneOrder order, uint64_t seed) {
  chosen_order() = order;
  order_seed = seed;
}
LaneOrder lane_order() {
  return chosen_order();
}
uint64_t lane_order_seed() {
  return order_seed;
}

void run_grid(const std::string& kernel, const LaunchShape& shape, const std::function<void()>& body) {
  expect_launchable(kernel, shape);
  const std::lock_guard<std::mutex> lock(one_launch);
  machine().run(kernel, shape, body);
}

void* dynamic_shared_memory() {
  return machine().shared();
}

void fail(const Where& where, const std::string& what) {
  machine().fail(machine().running(), where, what);
}

// Two addresses in turn: a lane that is at the next barrier already must order nothing for one that has only
// been let go from this one.
LIMOE_UNSEEN_BY_TSAN void block_barrier(const Where& where) {
  static uint64_t orders[2];
  uint64_t* const order = &orders[machine().running().barriers++ % 2];
  tsan_release(order);
  machine().park(State::at_barrier, "__syncthreads", 0, where);
  tsan_acquire(order);
}

LIMOE_UNSEEN_BY_TSAN void meet_at(int barrier, int lanes, const Where& where) {
  uint64_t* const order = machine().order_of(barrier, where);
  tsan_release(order);
  if (!machine().arrive(barrier, lanes, where))
    machine().park(State::at_meeting, "meet_at", unsigned(barrier), where);
  tsan_acquire(order);
}

LIMOE_UNSEEN_BY_TSAN void arrive_at(int barrier, int lanes, const Where& where) {
  tsan_release(machine().order_of(barrier, where));
  machine().arrive(barrier, lanes, where);
}

LIMOE_UNSEEN_BY_TSAN const unsigned char* warp_collective(const char* what, unsigned mask, const void* mine,
                                                          size_t bytes, const Where& where) {
  Lane& lane = machine().running();
  const unsigned index = (lane.thread.y * running_block_shape.x + lane.thread.x) % kWarpSize;
  if (!(mask >> index & 1)) fail(where, concatenate(what, ": the mask leaves out the lane that calls"));
  auto& slots = machine().slots_of_running().bytes[lane.collectives++ % 2];
  const auto* const from = static_cast<const unsigned char*>(mine);
  for (size_t i = 0; i < bytes; ++i) slots[index][i] = from[i];
  machine().park(State::at_collective, what, mask, where);
  return &slots[0][0];
}

LIMOE_UNSEEN_BY_TSAN void warp_barrier(unsigned mask, const Where& where) {
  uint64_t* const order = &machine().slots_of_running().order[machine().running().collectives % 2];
  tsan_release(order);
  warp_collective("__syncwarp", mask, nullptr, 0, where);
  tsan_acquire(order);
}

void defer_copy(void* to, const void* from, size_t bytes, size_t zeros_behind) {
  std::memset(to, 0xff, bytes + zeros_behind);  // whoever reads before the wait reads NaN
  machine().running().open_copies.push_back({to, from, bytes, zeros_behind});
}

void commit_copies() {
  Lane& lane = machine().running();
  lane.committed_copies.push_back(std::move(lane.open_copies));
  lane.open_copies.clear();
}

void wait_for_copies(int groups_left, const Where& where) {
  Lane& lane = machine().running();
  if (groups_left < 0) fail(where, concatenate("waits until ", groups_left, " groups of copies are left"));
  while (int(lane.committed_copies.size()) > groups_left) {
    for (const Copy& copy : lane.committed_copies.front()) {
      std::memcpy(copy.to, copy.from, copy.bytes);
      std::memset(static_cast<char*>(copy.to) + copy.bytes, 0, copy.zeros_behind);
    }
    lane.committed_copies.pop_front();
  }
}

void defer_product(std::function<void()> add) {
  machine().running().open_products.push_back(std::move(add));
}

void commit_products() {
  Lane& lane = machine().running();
  lane.committed_products.push_back(std::move(lane.open_products));
  lane.open_products.clear();
}

void wait_for_products(int groups_left, const Where& where) {
  Lane& lane = machine().running();
  if (groups_left < 0) fail(where, concatenate("waits until ", groups_left, " groups of products are left"));
  while (int(lane.committed_products.size()) > groups_left) {
    for (const std::function<void()>& add : lane.committed_products.front()) add();
    lane.committed_products.pop_front();
  }
}

}  // namespace limoe::cuda::sim
