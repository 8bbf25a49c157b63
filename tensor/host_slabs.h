// Host memory for tensors, cut from slabs that Linux may back with pages of 2 MB.
//
// An op walks through megabytes, and with pages of 4 KB the processor looks up a translation for every few
// rows, in a virtual machine through two sets of tables. Blocks side by side in large slabs share few pages;
// a mapping for each block would leave most of a 2 MB page unused at its end.
//
// Blocks below kLeastInSlab are the C library's own, and in builds with AddressSanitizer all are, so that it
// sees where each ends. A slab is given back when all its blocks are freed, a freed block's pages at once.
// That is rare: the CachingAllocator above keeps blocks for reuse. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>

namespace limoe {

// Whether the system gives 2 MB pages to a program that asks (/sys/kernel/mm/transparent_hugepage/enabled).
bool huge_pages_are_allowed();

class HostSlabs {
 public:
  static constexpr size_t kAlignment = 64;  // of every block: a cache line, the widest vector register
  static constexpr size_t kLeastInSlab = size_t{64} << 10;
  static constexpr size_t kSlab = size_t{32} << 20;
  static const bool kUsed;  // false with AddressSanitizer

  HostSlabs() = default;
  ~HostSlabs();
  HostSlabs(const HostSlabs&) = delete;
  HostSlabs& operator=(const HostSlabs&) = delete;

  void* allocate(size_t bytes) noexcept;  // nullptr when there is no memory left
  void free(void* block) noexcept;
  size_t slab_count() const;

 private:
  struct Slab {
    size_t bytes = 0, used = 0;
    int64_t blocks = 0;  // live
  };
  using Slabs = std::map<std::byte*, Slab>;  // by their first byte

  Slabs::iterator add_slab(size_t bytes);
  Slabs::iterator slab_of(const std::byte* block);

  mutable std::mutex mutex_;
  Slabs slabs_;
  Slabs::iterator current_ = slabs_.end();      // where small enough blocks are cut from
  std::map<const std::byte*, size_t> lengths_;  // of live blocks in slabs
};

}  // namespace limoe
