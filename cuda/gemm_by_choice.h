// One product by whom cuda/gemm_choice.h says: own(c, epilogue) or the vendor's library. Host code.
#pragma once

#include <string>

#include "cuda/gemm_choice.h"
#include "cuda/runtime.h"
#include "cuda/vendor_gemm.h"

namespace limoe::cuda {

// Device memory to measure on, so that an output that is added to is added to once.
class GemmScratch {
 public:
  explicit GemmScratch(size_t bytes) : data_(allocate(bytes)) {}
  ~GemmScratch() { free(data_); }
  GemmScratch(const GemmScratch&) = delete;
  GemmScratch& operator=(const GemmScratch&) = delete;
  void* data() const { return data_; }  // null when there is no memory left

 private:
  void* const data_;
};

// Everything the time of a product depends on: types, sizes, transposes, strides, beta and epilogue.
template <class T, class Out>
std::string product_name(GemmShape shape, GemmInput<T> a, GemmInput<T> b, GemmOutput<Out> c,
                         GemmEpilogue<T, Out> epilogue) {
  return joined_name({int64_t(sizeof(T)), int64_t(sizeof(Out)), shape.m, shape.n, shape.k, shape.batch,
                      a.transposed, b.transposed, a.stride, b.stride, c.stride, c.beta != 0,
                      epilogue.bias != nullptr, epilogue.gelu, epilogue.before_gelu != nullptr,
                      epilogue.residual != nullptr});
}

// Measured on a scratch output the first time; without memory for one, ours.
template <class T, class Out, class Own>
bool vendor_is_faster(Stream stream, GemmShape shape, GemmInput<T> a, GemmInput<T> b, GemmOutput<Out> c,
                      GemmEpilogue<T, Out> epilogue, const Own& own) {
  const std::string product = product_name(shape, a, b, c, epilogue);
  if (const std::optional<bool> known = known_vendor_is_faster(product)) return *known;
  const GemmScratch scratch(size_t((shape.batch - 1) * c.batch_stride + shape.m * c.stride) * sizeof(Out));
  if (!scratch.data()) return false;
  GemmOutput<Out> to = c;
  to.data = static_cast<Out*>(scratch.data());
  return vendor_is_faster(
      stream, product, [&] { own(to, epilogue); },
      [&] { return vendor_gemm(stream, shape, a, b, to, epilogue); });
}

template <class T, class Out, class Own>
void gemm_by_choice(Stream stream, GemmShape shape, GemmInput<T> a, GemmInput<T> b, GemmOutput<Out> c,
                    GemmEpilogue<T, Out> epilogue, const Own& own) {
  const GemmChoice choice = gemm_choice();
  const bool by_vendor =
      choice == GemmChoice::cublas ||
      (choice == GemmChoice::automatic && vendor_is_faster(stream, shape, a, b, c, epilogue, own));
  if (by_vendor && vendor_gemm(stream, shape, a, b, c, epilogue)) return;
  own(c, epilogue);
}

}  // namespace limoe::cuda
