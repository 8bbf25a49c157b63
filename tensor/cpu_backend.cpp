// Host memory as a Backend. Blocks are aligned to 64 bytes: a cache line, and the widest vector register.
#include <cstdlib>
#include <cstring>

#include "tensor/backend.h"
#include "tensor/error.h"
#include "tensor/parallel.h"

namespace limoe {
namespace {

constexpr size_t kAlignment = 64;

template <class T>
void add_into_typed(void* sum, const void* addend, int64_t elements) {
  T* to = static_cast<T*>(sum);
  const T* from = static_cast<const T*>(addend);
  parallel_for(elements, 1 << 15, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) to[i] = T(to[i] + from[i]);
  });
}

void add_into_bf16(void* sum, const void* addend, int64_t elements) {
  bf16* to = static_cast<bf16*>(sum);
  const bf16* from = static_cast<const bf16*>(addend);
  for (int64_t i = 0; i < elements; ++i) to[i] = bf16(float(to[i]) + float(from[i]));
}

class CpuBackend final : public Backend {
 public:
  void* allocate(size_t bytes) override {
    return std::aligned_alloc(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment);
  }
  void free(void* block) noexcept override { std::free(block); }

  void copy_from_host(void* to, const void* host, size_t bytes) override { copy(to, host, bytes); }
  void copy_to_host(void* host, const void* from, size_t bytes) override { copy(host, from, bytes); }
  void copy(void* to, const void* from, size_t bytes) override {
    if (bytes) std::memcpy(to, from, bytes);
  }
  void zero(void* to, size_t bytes) override {
    if (bytes) std::memset(to, 0, bytes);
  }
  void poison(void* to, size_t bytes) override {
    if (bytes) std::memset(to, 0xff, bytes);
  }
  void add_into(void* sum, const void* addend, int64_t elements, DType dtype) override {
    switch (dtype) {
      case DType::f32:
        return add_into_typed<float>(sum, addend, elements);
      case DType::f64:
        return add_into_typed<double>(sum, addend, elements);
      case DType::i32:
        return add_into_typed<int32_t>(sum, addend, elements);
      case DType::bf16:
        return add_into_bf16(sum, addend, elements);
    }
  }
  void synchronize() override {}
};

}  // namespace

std::unique_ptr<Backend> make_cpu_backend() {
  return std::make_unique<CpuBackend>();
}

}  // namespace limoe
