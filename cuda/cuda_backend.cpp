// Device memory as a Backend.
//
// With LIMOE_GUARD=1 every buffer lies between two bands of 256 bytes with a known pattern, checked when the
// buffer is given back to the device and at every synchronize(): a kernel that writes outside is found
// without a debugger.
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <vector>

#include "cuda/accumulate.h"
#include "cuda/copy_strided.h"
#include "cuda/install.h"
#include "cuda/random.h"
#include "cuda/runtime.h"
#include "tensor/backend.h"
#include "tensor/error.h"

namespace limoe::cuda {
namespace {

constexpr size_t kBandBytes = 256;
constexpr unsigned char kBandPattern = 0xa5;

bool wants_guards() {
  const char* const value = std::getenv("LIMOE_GUARD");
  return value && std::strcmp(value, "0") != 0;
}

class CudaBackend final : public Backend {
 public:
  void* allocate(size_t bytes) override {
    if (!guards_) return cuda::allocate(bytes);
    auto* const block = static_cast<unsigned char*>(cuda::allocate(bytes + 2 * kBandBytes));
    if (!block) return nullptr;
    fill_bytes(block, kBandPattern, kBandBytes);
    fill_bytes(block + kBandBytes + bytes, kBandPattern, kBandBytes);
    const std::lock_guard<std::mutex> lock(mutex_);
    bytes_of_[block + kBandBytes] = bytes;
    return block + kBandBytes;
  }

  void free(void* block) noexcept override {
    if (!block) return;
    if (!guards_) return cuda::free(block);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      bytes_of_.erase(static_cast<unsigned char*>(block));
    }
    cuda::free(static_cast<unsigned char*>(block) - kBandBytes);
  }

  void copy_from_host(void* to, const void* host, size_t bytes) override {
    if (bytes) copy_to_device(to, host, bytes);
  }
  void copy_to_host(void* host, const void* from, size_t bytes) override {
    if (bytes) cuda::copy_to_host(host, from, bytes);
  }
  void copy(void* to, const void* from, size_t bytes) override {
    if (bytes) copy_on_device(to, from, bytes);
  }
  void copy_strided(void* to, const Strides& to_strides, const void* from, const Strides& from_strides,
                    const Shape& shape, DType dtype) override {
    static_assert(Shape::kMaxRank == StridedCopy::kMostAxes);
    StridedCopy copy{.rank = shape.rank()};
    for (int axis = 0; axis < shape.rank(); ++axis) {
      copy.size[axis] = shape[axis];
      copy.to_stride[axis] = to_strides[size_t(axis)];
      copy.from_stride[axis] = from_strides[size_t(axis)];
    }
    cuda::copy_strided({}, to, from, copy, size_of(dtype));
  }
  void zero(void* to, size_t bytes) override {
    if (bytes) fill_bytes(to, 0, bytes);
  }
  void poison(void* to, size_t bytes) override {
    if (bytes) fill_bytes(to, 0xff, bytes);
  }

  void add_into(void* sum, const void* addend, int64_t elements, DType dtype) override {
    switch (dtype) {
      case DType::f32:
        return accumulate({}, static_cast<float*>(sum), static_cast<const float*>(addend), elements);
      case DType::bf16:
        return accumulate({}, static_cast<bf16*>(sum), static_cast<const bf16*>(addend), elements);
      case DType::i32:
        return accumulate({}, static_cast<int32_t*>(sum), static_cast<const int32_t*>(addend), elements);
      case DType::f64:
        throw DTypeError("add_into: f64 on a device; expected f32, bf16 or i32: f64 is for the CPU");
    }
  }

  void draw_normal(void* to, int64_t elements, DType dtype, const NormalDraws& draws) override {
    switch (dtype) {
      case DType::f32:
        return cuda::draw_normal({}, static_cast<float*>(to), elements, draws);
      case DType::bf16:
        return cuda::draw_normal({}, static_cast<bf16*>(to), elements, draws);
      default:
        throw DTypeError("random: ", dtype, " was asked for on a device; expected f32 or bf16");
    }
  }

  void synchronize() override {
    cuda::synchronize();
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& [data, bytes] : bytes_of_) expect_intact(data, bytes);
  }

 private:
  static void expect_intact(const unsigned char* data, size_t bytes) {
    std::vector<unsigned char> band(kBandBytes);
    for (const bool behind : {false, true}) {
      cuda::copy_to_host(band.data(), behind ? data + bytes : data - kBandBytes, kBandBytes);
      for (size_t i = 0; i < kBandBytes; ++i)
        if (band[i] != kBandPattern)
          throw CudaError("device memory: a buffer of ", bytes, " bytes was written ",
                          behind ? i : kBandBytes - i, " bytes ",
                          behind ? "behind its end" : "before its start",
                          "; LIMOE_SYNC=1 tells which kernel ran last");
    }
  }

  const bool guards_ = wants_guards();
  std::mutex mutex_;
  std::map<unsigned char*, size_t> bytes_of_;
};

}  // namespace

bool install(std::string* why) {
  static const int installed = [] {
    const int count = device_count();
    for (int i = 0; i < count; ++i)
      install_backend({is_simulated() ? DeviceKind::sim : DeviceKind::cuda, i},
                      std::make_unique<CudaBackend>());
    return count;
  }();
  if (installed == 0) device_count(why);
  return installed > 0;
}

void install(DeviceKind kind) {
  if (kind == DeviceKind::cpu) return;
  if (is_simulated() && kind == DeviceKind::cuda)
    throw DeviceError(
        "--device: cuda was asked for; this program was built without nvcc, for cpu and sim; build it with "
        "-DGPU=cuda for a GPU");
  if (!is_simulated() && kind == DeviceKind::sim)
    throw DeviceError(
        "--device: sim was asked for; this program was built by nvcc, for cpu and cuda; build it with "
        "-DGPU=sim for the simulator");
  if (std::string why; !install(&why)) throw DeviceError("--device: cuda was asked for; ", why);
}

}  // namespace limoe::cuda
