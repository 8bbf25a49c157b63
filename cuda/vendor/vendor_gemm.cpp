// cuda/vendor_gemm.h by cuBLASLt.
//
// The library counts columns first: what is A B for us is B^T A^T for it, with the same memory. In one call
// it has D = A B + beta C, a bias, and GELU (its tanh form, as ours) with the value before it kept; a
// residual is C with beta 1. Other combinations are left to our kernels.
#include "cuda/vendor_gemm.h"

#include <array>
#include <map>
#include <mutex>
#include <optional>

#include "cuda/vendor/cublas.h"
#include "cuda/vendor_calls.h"
#include "tensor/error.h"

namespace limoe::cuda {
namespace {

template <class T>
constexpr cudaDataType_t kType = sizeof(T) == 2 ? CUDA_R_16BF : CUDA_R_32F;

// Descriptors that are destroyed with their block.
class Product {
 public:
  Product() { expect_cublas(cublas()->make_product(&handle_, CUBLAS_COMPUTE_32F, CUDA_R_32F), "cublasLt"); }
  ~Product() { cublas()->destroy_product(handle_); }
  Product(const Product&) = delete;
  Product& operator=(const Product&) = delete;
  template <class Value>
  void set(cublasLtMatmulDescAttributes_t attribute, Value value) {
    expect_cublas(cublas()->set_product(handle_, attribute, &value, sizeof value), "cublasLt: a product");
  }
  cublasLtMatmulDesc_t get() const { return handle_; }

 private:
  cublasLtMatmulDesc_t handle_ = nullptr;
};

class Layout {
 public:
  Layout(cudaDataType_t type, int64_t rows, int64_t columns, int64_t stride, int64_t batch,
         int64_t batch_stride) {
    expect_cublas(cublas()->make_layout(&handle_, type, uint64_t(rows), uint64_t(columns), stride),
                  "cublasLt: a matrix");
    set(CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, int32_t(batch));
    set(CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, batch_stride);
  }
  ~Layout() { cublas()->destroy_layout(handle_); }
  Layout(const Layout&) = delete;
  Layout& operator=(const Layout&) = delete;
  cublasLtMatrixLayout_t get() const { return handle_; }

 private:
  template <class Value>
  void set(cublasLtMatrixLayoutAttribute_t attribute, Value value) {
    expect_cublas(cublas()->set_layout(handle_, attribute, &value, sizeof value), "cublasLt: a matrix");
  }
  cublasLtMatrixLayout_t handle_ = nullptr;
};

class Preference {
 public:
  Preference() { expect_cublas(cublas()->make_preference(&handle_), "cublasLt: a preference"); }
  ~Preference() { cublas()->destroy_preference(handle_); }
  Preference(const Preference&) = delete;
  Preference& operator=(const Preference&) = delete;
  template <class Value>
  void set(cublasLtMatmulPreferenceAttributes_t attribute, Value value) {
    expect_cublas(cublas()->set_preference(handle_, attribute, &value, sizeof value),
                  "cublasLt: a preference");
  }
  cublasLtMatmulPreference_t get() const { return handle_; }

 private:
  cublasLtMatmulPreference_t handle_ = nullptr;
};

// The largest power of two up to 256 that an address is a multiple of.
uint32_t alignment_of(const void* address) {
  uint32_t bytes = 256;
  while (reinterpret_cast<uintptr_t>(address) % bytes != 0) bytes /= 2;
  return bytes;
}

cublasLtEpilogue_t epilogue_of(bool bias, bool gelu, bool kept) {
  if (!gelu) return bias ? CUBLASLT_EPILOGUE_BIAS : CUBLASLT_EPILOGUE_DEFAULT;
  if (kept) return bias ? CUBLASLT_EPILOGUE_GELU_AUX_BIAS : CUBLASLT_EPILOGUE_GELU_AUX;
  return bias ? CUBLASLT_EPILOGUE_GELU_BIAS : CUBLASLT_EPILOGUE_GELU;
}

// Everything the choice of an algorithm depends on.
using Key = std::array<int64_t, 21>;

std::optional<cublasLtMatmulAlgo_t> find_algorithm(const Key& key, const Product& product, const Layout& a,
                                                   const Layout& b, const Layout& c, const Layout& d,
                                                   const std::array<uint32_t, 4>& alignments) {
  static std::mutex mutex;
  static std::map<Key, std::optional<cublasLtMatmulAlgo_t>> known;
  const std::lock_guard<std::mutex> lock(mutex);
  if (const auto found = known.find(key); found != known.end()) return found->second;
  Preference preference;
  preference.set(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, uint64_t(cublas()->workspace_bytes));
  preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, alignments[0]);
  preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, alignments[1]);
  preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, alignments[2]);
  preference.set(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, alignments[3]);
  cublasLtMatmulHeuristicResult_t result{};
  int count = 0;
  const cublasStatus_t status = cublas()->algorithms(cublas()->handle, product.get(), a.get(), b.get(),
                                                     c.get(), d.get(), preference.get(), 1, &result, &count);
  const bool found = status == CUBLAS_STATUS_SUCCESS && count == 1;
  return known[key] = found ? std::optional(result.algo) : std::nullopt;
}

template <class T, class Out>
bool has_one_call(GemmShape shape, GemmOutput<Out> c, GemmEpilogue<T, Out> epilogue) {
  if (shape.m == 0 || shape.n == 0 || shape.k == 0 || shape.batch == 0) return false;
  if (epilogue.bias && sizeof(T) != sizeof(Out)) return false;
  if (epilogue.residual && (epilogue.gelu || epilogue.before_gelu || c.beta != 0)) return false;
  if (epilogue.before_gelu && (!epilogue.gelu || c.stride % 8 != 0)) return false;
  return shape.batch == 1 || (!epilogue.bias && !epilogue.gelu);
}

template <class T, class Out>
void set_epilogue(Product& product, GemmEpilogue<T, Out> epilogue, int64_t stride) {
  product.set(CUBLASLT_MATMUL_DESC_EPILOGUE, epilogue_of(epilogue.bias, epilogue.gelu, epilogue.before_gelu));
  if (epilogue.bias) product.set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, epilogue.bias);
  if (!epilogue.before_gelu) return;
  product.set(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER, epilogue.before_gelu);
  product.set(CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD, stride);
}

}  // namespace

bool vendor_gemm_available(std::string* why) {
  return cublas(why) != nullptr;
}

std::string vendor_gemm_name() {
  if (!cublas()) return "";
  const size_t version = cublas()->version();
  return concatenate("cuBLASLt ", version / 10000, ".", version / 100 % 100, ".", version % 100);
}

template <class T, class Out>
bool vendor_gemm(Stream stream, GemmShape shape, GemmInput<T> a, GemmInput<T> b, GemmOutput<Out> c,
                 GemmEpilogue<T, Out> epilogue) {
  if (!cublas() || !has_one_call(shape, c, epilogue)) return false;
  const auto [m, n, k, batch] = shape;
  Product product;
  product.set(CUBLASLT_MATMUL_DESC_TRANSA, b.transposed ? CUBLAS_OP_T : CUBLAS_OP_N);
  product.set(CUBLASLT_MATMUL_DESC_TRANSB, a.transposed ? CUBLAS_OP_T : CUBLAS_OP_N);
  set_epilogue(product, epilogue, c.stride);
  const Layout first(kType<T>, b.transposed ? k : n, b.transposed ? n : k, b.stride, batch, b.batch_stride);
  const Layout second(kType<T>, a.transposed ? m : k, a.transposed ? k : m, a.stride, batch, a.batch_stride);
  const Layout out(kType<Out>, n, m, c.stride, batch, c.batch_stride);
  const Out* const added = epilogue.residual ? epilogue.residual : c.data;
  const float alpha = 1, beta = epilogue.residual ? 1 : c.beta;
  const std::array<uint32_t, 4> alignments{alignment_of(b.data), alignment_of(a.data), alignment_of(added),
                                           alignment_of(c.data)};
  const Key key{m,
                n,
                k,
                batch,
                a.stride,
                b.stride,
                c.stride,
                a.batch_stride,
                b.batch_stride,
                c.batch_stride,
                a.transposed,
                b.transposed,
                int64_t(sizeof(T)),
                int64_t(sizeof(Out)),
                epilogue_of(epilogue.bias, epilogue.gelu, epilogue.before_gelu),
                beta != 0,
                epilogue.residual != nullptr,
                alignments[0],
                alignments[1],
                alignments[2],
                alignments[3]};
  const auto algorithm = find_algorithm(key, product, first, second, out, out, alignments);
  if (!algorithm) return false;
  expect_cublas(
      cublas()->matmul(cublas()->handle, product.get(), &alpha, b.data, first.get(), a.data, second.get(),
                       &beta, added, out.get(), c.data, out.get(), &*algorithm, cublas()->workspace,
                       cublas()->workspace_bytes, static_cast<cudaStream_t>(stream.handle)),
      "cublasLtMatmul");
  ++vendor_calls;
  return true;
}

template bool vendor_gemm(Stream, GemmShape, GemmInput<float>, GemmInput<float>, GemmOutput<float>,
                          GemmEpilogue<float, float>);
template bool vendor_gemm(Stream, GemmShape, GemmInput<bf16>, GemmInput<bf16>, GemmOutput<bf16>,
                          GemmEpilogue<bf16, bf16>);
template bool vendor_gemm(Stream, GemmShape, GemmInput<bf16>, GemmInput<bf16>, GemmOutput<float>,
                          GemmEpilogue<bf16, float>);

}  // namespace limoe::cuda
