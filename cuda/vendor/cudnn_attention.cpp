// attention by cuDNN's scaled dot-product operations, one call a run of sequences. The backward operation
// takes the lse of the forward pass, whoever made it: both sides keep the natural logarithm of the sum.
#include <cmath>

#include "cuda/vendor/cudnn.h"
#include "cuda/vendor_cudnn.h"
#include "tensor/bf16.h"

namespace limoe::cuda {

// The first versions whose headers have the operations (backward: the first it was compiled with). The
// library that is found may be older than the headers.
#define LIMOE_FORWARD_SINCE 91400
#define LIMOE_BACKWARD_SINCE 91900

#if CUDNN_VERSION >= LIMOE_FORWARD_SINCE

namespace {

enum Id : int64_t { kQ = 1, kK, kV, kY, kLse, kScale, kDq, kDk, kDv, kDy };

// The descriptors of one run's tensors, as [sequences, heads, tokens, columns].
struct RunTensors {
  TokenRun run;
  int64_t heads, width;

  CudnnDescriptor array(int64_t id, int64_t row) const {
    return described(
        {id, CUDNN_DATA_BFLOAT16, {run.count, heads, run.length, width}, {run.length * row, width, row, 1}});
  }
  CudnnDescriptor in_qkv(int64_t id) const { return array(id, 3 * heads * width); }
  CudnnDescriptor in_y(int64_t id) const { return array(id, heads * width); }
  CudnnDescriptor lse() const {
    return described(
        {kLse, CUDNN_DATA_FLOAT, {run.count, heads, run.length, 1}, {run.length * heads, 1, heads, 1}});
  }
  CudnnDescriptor scale() const {
    return described({kScale, CUDNN_DATA_FLOAT, {1, 1, 1, 1}, {1, 1, 1, 1}, true});
  }
};

CudnnDescriptor forward_operation(const RunTensors& of) {
  CudnnDescriptor made(CUDNN_BACKEND_OPERATION_SDPA_FWD_DESCRIPTOR);
  made.set(CUDNN_ATTR_OPERATION_SDPA_FWD_QDESC, of.in_qkv(kQ));
  made.set(CUDNN_ATTR_OPERATION_SDPA_FWD_KDESC, of.in_qkv(kK));
  made.set(CUDNN_ATTR_OPERATION_SDPA_FWD_VDESC, of.in_qkv(kV));
  made.set(CUDNN_ATTR_OPERATION_SDPA_FWD_ODESC, of.in_y(kY));
  made.set(CUDNN_ATTR_OPERATION_SDPA_FWD_STATSDESC, of.lse());
  made.set(CUDNN_ATTR_OPERATION_SDPA_FWD_SCALEDESC, of.scale());
  return made;
}

bool aligned(const void* address, int64_t row_bytes) {
  return reinterpret_cast<uintptr_t>(address) % 16 == 0 && row_bytes % 16 == 0;
}

// Whether the library knows the operation, no key is masked and every run's arrays begin at 16 bytes.
template <class... Arrays>
bool fits(size_t since, const int32_t* key_valid, const AttentionSizes& sizes, const float* lse,
          const Arrays*... arrays) {
  if (!cudnn() || cudnn()->version() < since || key_valid) return false;
  const int64_t head_bytes = sizes.head_width * int64_t(sizeof(bf16));
  if (!(aligned(arrays, head_bytes) && ...)) return false;
  for (int i = 0; i < sizes.run_count; ++i) {
    const TokenRun& run = sizes.runs[i];
    if (run.count * run.length == 0 || !aligned(lse, run.first_token * sizes.heads * int64_t(sizeof(float))))
      return false;
  }
  return true;
}

// One plan a run; empty when the library has none for one of them.
std::vector<const CudnnPlan*> plans_of_runs(CudnnPlans& plans, const AttentionSizes& sizes,
                                            CudnnDescriptor (&operation)(const RunTensors&)) {
  std::vector<const CudnnPlan*> all;
  for (int i = 0; i < sizes.run_count; ++i) {
    const RunTensors tensors{sizes.runs[i], sizes.heads, sizes.head_width};
    all.push_back(&plans.of({tensors.run.count, tensors.run.length, sizes.heads, sizes.head_width},
                            [&] { return operation(tensors); }));
    if (!all.back()->exists()) return {};
  }
  return all;
}

bf16* writable(const bf16* data) {
  return const_cast<bf16*>(data);
}

float score_scale(const AttentionSizes& sizes) {
  return 1 / std::sqrt(float(sizes.head_width));
}

}  // namespace

template <>
bool cudnn_attention_forward(Stream stream, const AttentionForward<bf16>& of, const AttentionSizes& sizes) {
  static CudnnPlans& plans = *new CudnnPlans();
  if (!fits(LIMOE_FORWARD_SINCE, of.key_valid, sizes, of.lse, of.qkv, of.y)) return false;
  const std::vector<const CudnnPlan*> plan_of = plans_of_runs(plans, sizes, forward_operation);
  const int64_t columns = sizes.heads * sizes.head_width;
  float scale = score_scale(sizes);
  for (size_t i = 0; i < plan_of.size(); ++i) {
    const int64_t token = sizes.runs[i].first_token;
    bf16* const q = writable(of.qkv) + token * 3 * columns;
    plan_of[i]->run(stream, {{kQ, q},
                             {kK, q + columns},
                             {kV, q + 2 * columns},
                             {kY, of.y + token * columns},
                             {kLse, of.lse + token * sizes.heads},
                             {kScale, &scale}});
  }
  return !plan_of.empty();
}

#else

template <>
bool cudnn_attention_forward(Stream, const AttentionForward<bf16>&, const AttentionSizes&) {
  return false;
}

#endif

#if CUDNN_VERSION >= LIMOE_BACKWARD_SINCE

namespace {

CudnnDescriptor backward_operation(const RunTensors& of) {
  CudnnDescriptor made(CUDNN_BACKEND_OPERATION_SDPA_BWD_DESCRIPTOR);
  made.set(CUDNN_ATTR_OPERATION_SDPA_BWD_QDESC, of.in_qkv(kQ));
  made.set(CUDNN_ATTR_OPERATION_SDPA_BWD_KDESC, of.in_qkv(kK));
  made.set(CUDNN_ATTR_OPERATION_SDPA_BWD_VDESC, of.in_qkv(kV));
  made.set(CUDNN_ATTR_OPERATION_SDPA_BWD_ODESC, of.in_y(kY));
  made.set(CUDNN_ATTR_OPERATION_SDPA_BWD_DODDESC, of.in_y(kDy));
  made.set(CUDNN_ATTR_OPERATION_SDPA_BWD_STATSDESC, of.lse());
  made.set(CUDNN_ATTR_OPERATION_SDPA_BWD_SCALEDESC, of.scale());
  made.set(CUDNN_ATTR_OPERATION_SDPA_BWD_DQDESC, of.in_qkv(kDq));
  made.set(CUDNN_ATTR_OPERATION_SDPA_BWD_DKDESC, of.in_qkv(kDk));
  made.set(CUDNN_ATTR_OPERATION_SDPA_BWD_DVDESC, of.in_qkv(kDv));
  return made;
}

}  // namespace

template <>
bool cudnn_attention_backward(Stream stream, const AttentionBackward<bf16>& of, const AttentionSizes& sizes) {
  static CudnnPlans& plans = *new CudnnPlans();
  if (!fits(LIMOE_BACKWARD_SINCE, of.key_valid, sizes, of.lse, of.qkv, of.y, of.dy, of.dqkv)) return false;
  const std::vector<const CudnnPlan*> plan_of = plans_of_runs(plans, sizes, backward_operation);
  const int64_t columns = sizes.heads * sizes.head_width;
  float scale = score_scale(sizes);
  for (size_t i = 0; i < plan_of.size(); ++i) {
    const int64_t token = sizes.runs[i].first_token;
    bf16* const q = writable(of.qkv) + token * 3 * columns;
    bf16* const dq = of.dqkv + token * 3 * columns;
    plan_of[i]->run(stream, {{kQ, q},
                             {kK, q + columns},
                             {kV, q + 2 * columns},
                             {kY, writable(of.y) + token * columns},
                             {kDy, writable(of.dy) + token * columns},
                             {kLse, const_cast<float*>(of.lse) + token * sizes.heads},
                             {kScale, &scale},
                             {kDq, dq},
                             {kDk, dq + columns},
                             {kDv, dq + 2 * columns}});
  }
  return !plan_of.empty();
}

#else

template <>
bool cudnn_attention_backward(Stream, const AttentionBackward<bf16>&, const AttentionSizes&) {
  return false;
}

#endif

template <>
bool cudnn_attention_forward(Stream, const AttentionForward<float>&, const AttentionSizes&) {
  return false;
}
template <>
bool cudnn_attention_backward(Stream, const AttentionBackward<float>&, const AttentionSizes&) {
  return false;
}

}  // namespace limoe::cuda
