// attention's forward pass by cuDNN's scaled dot-product operation, one call a run of sequences. Its fused
// backward pass is no operation of this kind: the library knows it only as a graph of a dozen, so ours goes
// back, from the same lse.
#include <cmath>

#include "cuda/vendor/cudnn.h"
#include "cuda/vendor_cudnn.h"
#include "tensor/bf16.h"

namespace limoe::cuda {

#if CUDNN_VERSION >= 91400  // older headers have no such operation

namespace {

enum Id : int64_t { kQ = 1, kK, kV, kY, kLse, kScale };

CudnnDescriptor operation_of(const TokenRun& run, int64_t heads, int64_t width) {
  const int64_t columns = heads * width, stride = 3 * columns;
  const std::vector<int64_t> dims{run.count, heads, run.length, width};
  const std::vector<int64_t> in_qkv{run.length * stride, width, stride, 1};
  const std::vector<int64_t> in_y{run.length * columns, width, columns, 1};
  CudnnDescriptor made(CUDNN_BACKEND_OPERATION_SDPA_FWD_DESCRIPTOR);
  made.set(CUDNN_ATTR_OPERATION_SDPA_FWD_QDESC, described({kQ, CUDNN_DATA_BFLOAT16, dims, in_qkv}));
  made.set(CUDNN_ATTR_OPERATION_SDPA_FWD_KDESC, described({kK, CUDNN_DATA_BFLOAT16, dims, in_qkv}));
  made.set(CUDNN_ATTR_OPERATION_SDPA_FWD_VDESC, described({kV, CUDNN_DATA_BFLOAT16, dims, in_qkv}));
  made.set(CUDNN_ATTR_OPERATION_SDPA_FWD_ODESC, described({kY, CUDNN_DATA_BFLOAT16, dims, in_y}));
  made.set(
      CUDNN_ATTR_OPERATION_SDPA_FWD_STATSDESC,
      described(
          {kLse, CUDNN_DATA_FLOAT, {run.count, heads, run.length, 1}, {run.length * heads, 1, heads, 1}}));
  made.set(CUDNN_ATTR_OPERATION_SDPA_FWD_SCALEDESC,
           described({kScale, CUDNN_DATA_FLOAT, {1, 1, 1, 1}, {1, 1, 1, 1}, true}));
  return made;
}

bool aligned(const void* address, int64_t row_bytes) {
  return reinterpret_cast<uintptr_t>(address) % 16 == 0 && row_bytes % 16 == 0;
}

}  // namespace

template <>
bool cudnn_attention_forward(Stream stream, const AttentionForward<bf16>& of, const AttentionSizes& sizes) {
  static CudnnPlans& plans = *new CudnnPlans();
  const int64_t columns = sizes.heads * sizes.head_width;
  if (!cudnn() || of.key_valid || !aligned(of.qkv, sizes.head_width * int64_t(sizeof(bf16))) ||
      !aligned(of.y, sizes.head_width * int64_t(sizeof(bf16))))
    return false;
  std::vector<const CudnnPlan*> plan_of;
  for (int i = 0; i < sizes.run_count; ++i) {
    const TokenRun& run = sizes.runs[i];
    if (run.count * run.length == 0 ||
        !aligned(of.lse, run.first_token * sizes.heads * int64_t(sizeof(float))))
      return false;
    plan_of.push_back(&plans.of({run.count, run.length, sizes.heads, sizes.head_width},
                                [&] { return operation_of(run, sizes.heads, sizes.head_width); }));
    if (!plan_of.back()->exists()) return false;
  }
  float scale = 1 / std::sqrt(float(sizes.head_width));
  for (int i = 0; i < sizes.run_count; ++i) {
    const int64_t token = sizes.runs[i].first_token;
    bf16* const q = const_cast<bf16*>(of.qkv) + token * 3 * columns;
    plan_of[size_t(i)]->run(stream, {{kQ, q},
                                     {kK, q + columns},
                                     {kV, q + 2 * columns},
                                     {kY, of.y + token * columns},
                                     {kLse, of.lse + token * sizes.heads},
                                     {kScale, &scale}});
  }
  return true;
}

#else

template <>
bool cudnn_attention_forward(Stream, const AttentionForward<bf16>&, const AttentionSizes&) {
  return false;
}

#endif

template <>
bool cudnn_attention_forward(Stream, const AttentionForward<float>&, const AttentionSizes&) {
  return false;
}

}  // namespace limoe::cuda
