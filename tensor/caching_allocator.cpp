#include "tensor/caching_allocator.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <vector>

#include "tensor/error.h"

namespace limoe {
namespace {

constexpr size_t kGranule = 64;
constexpr size_t kPage = 4096;
constexpr size_t kLarge = size_t{1} << 20;

// Large requests come in sixteen sizes between powers of two: the number of tokens differs from step to step,
// and blocks that fit only one step would be asked for again and again.
size_t rounded_up(size_t bytes) {
  const size_t granule = bytes < kLarge ? kGranule : std::bit_floor(bytes) / 16;
  return (bytes + granule - 1) / granule * granule;
}

bool wastes_little(size_t block, size_t wanted) {
  return block < 2 * wanted || block < wanted + 2 * kPage;
}

}  // namespace

CachingAllocator::CachingAllocator(Backend& backend, std::string device_name)
    : backend_(backend), device_name_(std::move(device_name)) {}

CachingAllocator::~CachingAllocator() {
  empty_cache();
}

CachingAllocator::Block CachingAllocator::allocate(size_t bytes) {
  if (bytes == 0) return {};
  if (bytes > SIZE_MAX / 2)
    throw OutOfMemoryError("allocator: ", bytes, " bytes were asked for on ", device_name_,
                           "; no machine has that");
  const size_t wanted = rounded_up(bytes);
  const std::lock_guard lock(mutex_);
  Block block{nullptr, wanted};
  if (const auto fitting = free_blocks_.lower_bound(wanted);
      fitting != free_blocks_.end() && wastes_little(fitting->first, wanted)) {
    const auto found = std::prev(free_blocks_.upper_bound(fitting->first));
    block = {found->second, found->first};
    free_blocks_.erase(found);
    counts_.cached_bytes -= block.bytes;
  } else {
    block.data = backend_.allocate(wanted);
    if (!block.data) {
      empty_cache_locked();
      block.data = backend_.allocate(wanted);
    }
    if (!block.data)
      throw OutOfMemoryError("allocator: ", wanted, " bytes were asked for on ", device_name_, ", where ",
                             counts_.live_bytes, " bytes are live and ", counts_.cached_bytes, " cached",
                             largest_owners_locked(),
                             "; lower --batch-size or raise --accum-freq, or use --grad-checkpointing");
    ++counts_.backend_allocations;
  }
  live_[block.data] = {block.bytes};
  counts_.live_bytes += block.bytes;
  counts_.peak_live_bytes = std::max(counts_.peak_live_bytes, counts_.live_bytes);
  if (poison_) backend_.poison(block.data, block.bytes);
  return block;
}

void CachingAllocator::release(Block block) noexcept {
  if (!block.data) return;
  const std::lock_guard lock(mutex_);
  live_.erase(block.data);
  free_blocks_.emplace(block.bytes, block.data);
  counts_.live_bytes -= block.bytes;
  counts_.cached_bytes += block.bytes;
}

void CachingAllocator::name(const void* block, std::string_view owner) {
  const std::lock_guard lock(mutex_);
  const auto live = live_.find(block);
  if (live != live_.end() && live->second.owner.empty()) live->second.owner = owner;
}

// "; the most by linear (4096 in 2 tensors), ..."; empty when nothing is live.
std::string CachingAllocator::largest_owners_locked() const {
  constexpr size_t kNamed = 5;
  struct Share {
    std::string op;
    size_t bytes = 0;
    int64_t tensors = 0;
  };
  std::map<std::string, Share> by_op;
  for (const auto& [data, live] : live_) {
    const std::string op = live.owner.empty() ? "no op" : live.owner.substr(live.owner.rfind('/') + 1);
    Share& share = by_op.try_emplace(op, Share{op}).first->second;
    share.bytes += live.bytes;
    ++share.tensors;
  }
  std::vector<Share> shares;
  for (const auto& [op, share] : by_op) shares.push_back(share);
  std::stable_sort(shares.begin(), shares.end(),
                   [](const Share& a, const Share& b) { return a.bytes > b.bytes; });
  std::string text;
  for (size_t i = 0; i < std::min(shares.size(), kNamed); ++i)
    text += concatenate(i == 0 ? "; the most by " : ", ", shares[i].op, " (", shares[i].bytes, " in ",
                        shares[i].tensors, shares[i].tensors == 1 ? " tensor)" : " tensors)");
  return text;
}

void CachingAllocator::empty_cache() noexcept {
  const std::lock_guard lock(mutex_);
  empty_cache_locked();
}

void CachingAllocator::empty_cache_locked() noexcept {
  for (const auto& [bytes, data] : free_blocks_) backend_.free(data);
  free_blocks_.clear();
  counts_.cached_bytes = 0;
}

MemoryCounts CachingAllocator::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

void CachingAllocator::reset_peak() {
  const std::lock_guard lock(mutex_);
  counts_.peak_live_bytes = counts_.live_bytes;
}

void CachingAllocator::set_poison(bool poison) {
  const std::lock_guard lock(mutex_);
  poison_ = poison;
}

}  // namespace limoe
