// Storage: a block of memory on one device, shared by the tensors that view it, and a count of how often it
// was opened for writing. Autograd compares that count with the one it saw when it saved a tensor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tensor/caching_allocator.h"
#include "tensor/device.h"

namespace limoe {

class Storage {
 public:
  Storage(size_t bytes, Device device)
      : allocator_(allocator_of(device)),
        device_(device),
        bytes_(bytes),
        block_(allocator_.allocate(bytes)) {}
  ~Storage() { allocator_.release(block_); }
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  const std::byte* data() const { return static_cast<const std::byte*>(block_.data); }
  std::byte* mutable_data() {
    ++write_count_;
    return static_cast<std::byte*>(block_.data);
  }
  void name(std::string_view owner) { allocator_.name(block_.data, owner); }
  size_t bytes() const { return bytes_; }
  Device device() const { return device_; }
  uint64_t write_count() const { return write_count_; }

 private:
  CachingAllocator& allocator_;
  const Device device_;
  const size_t bytes_;
  const CachingAllocator::Block block_;
  uint64_t write_count_ = 0;
};

}  // namespace limoe
