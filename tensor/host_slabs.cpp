#include "tensor/host_slabs.h"

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <new>
#include <string>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LIMOE_BLOCKS_ARE_WATCHED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define LIMOE_BLOCKS_ARE_WATCHED 1
#endif

namespace limoe {
namespace {

constexpr size_t kPage = 4096, kHugePage = size_t{2} << 20;

size_t rounded_up(size_t bytes, size_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

void ask_for_huge_pages([[maybe_unused]] void* slab, [[maybe_unused]] size_t bytes) {
#if defined(MADV_HUGEPAGE)
  madvise(slab, bytes, MADV_HUGEPAGE);  // advice: without it the slab has small pages
#endif
}

// The pages that lie wholly inside the block.
void give_back_pages([[maybe_unused]] std::byte* block, [[maybe_unused]] size_t bytes) {
#if defined(MADV_DONTNEED)
  const uintptr_t begin = rounded_up(uintptr_t(block), kPage),
                  end = (uintptr_t(block) + bytes) / kPage * kPage;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
#endif
}

}  // namespace

#if defined(LIMOE_BLOCKS_ARE_WATCHED)
const bool HostSlabs::kUsed = false;
#else
const bool HostSlabs::kUsed = true;
#endif

bool huge_pages_are_allowed() {
  std::ifstream file("/sys/kernel/mm/transparent_hugepage/enabled");
  std::string modes;
  std::getline(file, modes);
  return modes.find("[always]") != std::string::npos || modes.find("[madvise]") != std::string::npos;
}

HostSlabs::~HostSlabs() {
  for (const auto& [begin, slab] : slabs_) std::free(begin);
}

HostSlabs::Slabs::iterator HostSlabs::add_slab(size_t bytes) {
  auto* const begin = static_cast<std::byte*>(std::aligned_alloc(kHugePage, bytes));
  if (!begin) return slabs_.end();
  ask_for_huge_pages(begin, bytes);
  try {
    return slabs_.emplace(begin, Slab{.bytes = bytes}).first;
  } catch (const std::bad_alloc&) {
    std::free(begin);
    return slabs_.end();
  }
}

HostSlabs::Slabs::iterator HostSlabs::slab_of(const std::byte* block) {
  const auto after = slabs_.upper_bound(const_cast<std::byte*>(block));
  return after == slabs_.begin() ? slabs_.end() : std::prev(after);
}

void* HostSlabs::allocate(size_t bytes) noexcept {
  if (bytes > size_t(PTRDIFF_MAX)) return nullptr;
  bytes = rounded_up(bytes, kAlignment);
  if (!kUsed || bytes < kLeastInSlab) return std::aligned_alloc(kAlignment, bytes);
  const std::lock_guard lock(mutex_);
  auto slab = current_;
  if (bytes > kSlab / 2)
    slab = add_slab(rounded_up(bytes, kHugePage));
  else if (slab == slabs_.end() || slab->second.bytes - slab->second.used < bytes)
    slab = add_slab(kSlab);
  if (slab == slabs_.end()) return nullptr;
  if (slab->second.bytes == kSlab) current_ = slab;
  std::byte* const block = slab->first + slab->second.used;
  try {
    lengths_.emplace(block, bytes);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
  slab->second.used += bytes;
  ++slab->second.blocks;
  return block;
}

void HostSlabs::free(void* block) noexcept {
  if (!block) return;
  std::unique_lock lock(mutex_);
  const auto length = lengths_.find(static_cast<std::byte*>(block));
  if (length == lengths_.end()) {
    lock.unlock();
    return std::free(block);
  }
  const auto slab = slab_of(length->first);
  if (--slab->second.blocks == 0) {
    if (slab == current_) current_ = slabs_.end();
    std::free(slab->first);
    slabs_.erase(slab);
  } else {
    give_back_pages(static_cast<std::byte*>(block), length->second);
  }
  lengths_.erase(length);
}

size_t HostSlabs::slab_count() const {
  const std::lock_guard lock(mutex_);
  return slabs_.size();
}

}  // namespace limoe
