// Host memory as a Backend.
#include <array>
#include <cstring>
#include <type_traits>

#include "tensor/backend.h"
#include "tensor/error.h"
#include "tensor/host_slabs.h"
#include "tensor/parallel.h"

namespace limoe {
namespace {

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

template <class T>
void draw_normal_typed(void* to, int64_t elements, const NormalDraws& draws) {
  T* const values = static_cast<T*>(to);
  parallel_for(elements, 1 << 12, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const double value =
          draws.mean + draws.deviation * random_normal(draws.seed, draws.stream, uint64_t(i));
      if constexpr (std::is_same_v<T, bf16>)
        values[i] = bf16(float(value));
      else
        values[i] = T(value);
    }
  });
}

template <size_t kBytes>
void copy_strided_bytes(std::byte* to, const Strides& to_strides, const std::byte* from,
                        const Strides& from_strides, const Shape& shape) {
  const int64_t count = shape.element_count();
  if (count == 0) return;
  std::array<int64_t, Shape::kMaxRank> at{};
  const int last = shape.rank() - 1;
  const int64_t width = shape.rank() ? shape[last] : 1;
  const int64_t to_step = shape.rank() ? to_strides[last] : 1,
                from_step = shape.rank() ? from_strides[last] : 1;
  for (int64_t row = 0; row < count / width; ++row) {
    int64_t to_offset = 0, from_offset = 0;
    for (int axis = 0; axis < last; ++axis) {
      to_offset += at[axis] * to_strides[axis];
      from_offset += at[axis] * from_strides[axis];
    }
    std::byte* const target = to + to_offset * int64_t(kBytes);
    const std::byte* const source = from + from_offset * int64_t(kBytes);
    if (to_step == 1 && from_step == 1)
      std::memcpy(target, source, size_t(width) * kBytes);
    else
      for (int64_t i = 0; i < width; ++i)
        std::memcpy(target + i * to_step * int64_t(kBytes), source + i * from_step * int64_t(kBytes), kBytes);
    for (int axis = last - 1; axis >= 0 && ++at[axis] == shape[axis]; --axis) at[axis] = 0;
  }
}

class CpuBackend final : public Backend {
 public:
  void* allocate(size_t bytes) override { return slabs_.allocate(bytes); }
  void free(void* block) noexcept override { slabs_.free(block); }

  void copy_from_host(void* to, const void* host, size_t bytes) override { copy(to, host, bytes); }
  void copy_to_host(void* host, const void* from, size_t bytes) override { copy(host, from, bytes); }
  void copy(void* to, const void* from, size_t bytes) override {
    if (bytes) std::memcpy(to, from, bytes);
  }
  void copy_strided(void* to, const Strides& to_strides, const void* from, const Strides& from_strides,
                    const Shape& shape, DType dtype) override {
    auto* const target = static_cast<std::byte*>(to);
    const auto* const source = static_cast<const std::byte*>(from);
    switch (size_of(dtype)) {
      case 2:
        return copy_strided_bytes<2>(target, to_strides, source, from_strides, shape);
      case 4:
        return copy_strided_bytes<4>(target, to_strides, source, from_strides, shape);
      default:
        return copy_strided_bytes<8>(target, to_strides, source, from_strides, shape);
    }
  }
  void draw_normal(void* to, int64_t elements, DType dtype, const NormalDraws& draws) override {
    switch (dtype) {
      case DType::f32:
        return draw_normal_typed<float>(to, elements, draws);
      case DType::f64:
        return draw_normal_typed<double>(to, elements, draws);
      case DType::bf16:
        return draw_normal_typed<bf16>(to, elements, draws);
      case DType::i32:
        throw DTypeError("random: i32 was asked for; expected a floating dtype");
    }
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

 private:
  HostSlabs slabs_;
};

}  // namespace

std::unique_ptr<Backend> make_cpu_backend() {
  return std::make_unique<CpuBackend>();
}

}  // namespace limoe
