// Reuse of freed memory over any Backend.
//
// A request is rounded up to 64 bytes, above a megabyte to a sixteenth of a power of two, and takes the
// smallest cached block that fits and wastes little: less than twice the size asked for, or less than two
// pages more; of several, the one freed last, which is the likeliest to be in a cache still. Otherwise the
// backend is asked; when that fails the cache is given back and the backend is asked once more; then
// OutOfMemoryError names bytes wanted, live and cached, and the ops whose tensors hold the most of them.
//
// Blocks never move and are never split, so a training step whose tensors repeat finds every block again:
// after two warm-up steps it asks the backend for nothing. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "tensor/backend.h"

namespace limoe {

struct MemoryCounts {
  size_t live_bytes = 0;            // handed out
  size_t cached_bytes = 0;          // freed and kept
  size_t peak_live_bytes = 0;       // the most that was ever live since reset_peak()
  int64_t backend_allocations = 0;  // how often the backend was asked, since the start
};

class CachingAllocator {
 public:
  CachingAllocator(Backend& backend, std::string device_name);
  ~CachingAllocator();
  CachingAllocator(const CachingAllocator&) = delete;
  CachingAllocator& operator=(const CachingAllocator&) = delete;

  struct Block {
    void* data = nullptr;
    size_t bytes = 0;  // of the block, which may be more than was asked for
  };

  Block allocate(size_t bytes);        // throws OutOfMemoryError; 0 bytes give a null block
  void release(Block block) noexcept;  // into the cache
  void empty_cache() noexcept;         // back to the backend
  // Whose a live block is, for that message: "blocks.3.moe/linear" counts as linear's. The first name stays
  // until the block is released.
  void name(const void* block, std::string_view owner);
  MemoryCounts counts() const;
  void reset_peak();
  void set_poison(bool poison);  // true: every block handed out is filled with NaN first, so that no op reads
                                 // what it did not write

 private:
  struct Live {
    size_t bytes = 0;
    std::string owner = {};
  };

  void empty_cache_locked() noexcept;
  std::string largest_owners_locked() const;

  Backend& backend_;
  const std::string device_name_;
  mutable std::mutex mutex_;
  std::multimap<size_t, void*> free_blocks_;  // by size, for best fit
  std::unordered_map<const void*, Live> live_;
  MemoryCounts counts_;
  bool poison_ = false;
};

}  // namespace limoe
