// Backend: what memory on a machine must be able to do, and which machines are there. tensor/ knows machines
// only through this interface; the CPU's is always installed, others install themselves by an explicit call
// from main().
//
// All calls are ordered on the machine's one compute stream: memory handed back by free() may be handed out
// again at once, because later work on the same stream runs after earlier work.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "tensor/device.h"
#include "tensor/dtype.h"
#include "tensor/random.h"
#include "tensor/shape.h"

namespace limoe {

class CachingAllocator;

class Backend {
 public:
  virtual ~Backend() = default;

  virtual void* allocate(size_t bytes) = 0;  // nullptr when there is no memory left; never throws
  virtual void free(void* block) noexcept = 0;

  virtual void copy_from_host(void* to, const void* host, size_t bytes) = 0;
  virtual void copy_to_host(void* host, const void* from, size_t bytes) = 0;  // waits for the machine
  virtual void copy(void* to, const void* from, size_t bytes) = 0;            // within the machine
  // to[i] = from[i] for every index i of the shape; strides are in elements.
  virtual void copy_strided(void* to, const Strides& to_strides, const void* from,
                            const Strides& from_strides, const Shape& shape, DType dtype) = 0;
  virtual void zero(void* to, size_t bytes) = 0;
  virtual void poison(void* to, size_t bytes) = 0;  // fills with 0xff, which is NaN in every floating dtype
  virtual void add_into(void* sum, const void* addend, int64_t elements, DType dtype) = 0;  // sum += addend
  // to[i] = draw i for every i below `elements`; floating dtypes.
  virtual void draw_normal(void* to, int64_t elements, DType dtype, const NormalDraws& draws) = 0;
  virtual void synchronize() = 0;
};

void install_backend(Device device, std::unique_ptr<Backend> backend);
Backend& backend_of(Device device);             // throws DeviceError when nothing is installed there
CachingAllocator& allocator_of(Device device);  // likewise

std::unique_ptr<Backend> make_cpu_backend();

}  // namespace limoe
