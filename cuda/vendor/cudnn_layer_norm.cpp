// layer_norm by cuDNN's norm operation: rows are its batch, columns its channels.
#include "cuda/accumulate.h"
#include "cuda/add.h"
#include "cuda/vendor/cudnn.h"
#include "cuda/vendor_cudnn.h"

namespace limoe::cuda {
namespace {

enum Id : int64_t { kX = 1, kMean, kRstd, kScale, kBias, kEpsilon, kY, kDy, kDx, kDscale, kDbias };

template <class T>
constexpr cudnnDataType_t kType = sizeof(T) == 2 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;

template <class... Arrays>
bool fits(Rows rows, size_t element, const Arrays*... arrays) {
  const auto aligned = [](const void* address) { return reinterpret_cast<uintptr_t>(address) % 16 == 0; };
  return rows.count > 0 && size_t(rows.width) * element % 16 == 0 && (aligned(arrays) && ...);
}

// The descriptors of one operation's tensors.
template <class T>
struct NormTensors {
  Rows rows;

  CudnnDescriptor array(int64_t id) const {
    return described({id, kType<T>, {rows.count, rows.width, 1, 1}, {rows.width, 1, rows.width, rows.width}});
  }
  CudnnDescriptor parameter(int64_t id) const {
    return described({id, kType<T>, {1, rows.width, 1, 1}, {rows.width, 1, rows.width, rows.width}});
  }
  CudnnDescriptor statistic(int64_t id) const {
    return described({id, CUDNN_DATA_FLOAT, {rows.count, 1, 1, 1}, {1, 1, 1, 1}});
  }
};

template <class T>
CudnnDescriptor forward_operation(const NormTensors<T>& of) {
  const cudnnBackendNormMode_t mode = CUDNN_LAYER_NORM;
  const cudnnBackendNormFwdPhase_t phase = CUDNN_NORM_FWD_TRAINING;
  CudnnDescriptor made(CUDNN_BACKEND_OPERATION_NORM_FORWARD_DESCRIPTOR);
  made.set(CUDNN_ATTR_OPERATION_NORM_FWD_MODE, CUDNN_TYPE_NORM_MODE, &mode);
  made.set(CUDNN_ATTR_OPERATION_NORM_FWD_PHASE, CUDNN_TYPE_NORM_FWD_PHASE, &phase);
  made.set(CUDNN_ATTR_OPERATION_NORM_FWD_XDESC, of.array(kX));
  made.set(CUDNN_ATTR_OPERATION_NORM_FWD_MEAN_DESC, of.statistic(kMean));
  made.set(CUDNN_ATTR_OPERATION_NORM_FWD_INV_VARIANCE_DESC, of.statistic(kRstd));
  made.set(CUDNN_ATTR_OPERATION_NORM_FWD_SCALE_DESC, of.parameter(kScale));
  made.set(CUDNN_ATTR_OPERATION_NORM_FWD_BIAS_DESC, of.parameter(kBias));
  made.set(CUDNN_ATTR_OPERATION_NORM_FWD_EPSILON_DESC,
           described({kEpsilon, CUDNN_DATA_FLOAT, {1, 1, 1, 1}, {1, 1, 1, 1}, true}));
  made.set(CUDNN_ATTR_OPERATION_NORM_FWD_YDESC, of.array(kY));
  return made;
}

template <class T>
CudnnDescriptor backward_operation(const NormTensors<T>& of) {
  const cudnnBackendNormMode_t mode = CUDNN_LAYER_NORM;
  CudnnDescriptor made(CUDNN_BACKEND_OPERATION_NORM_BACKWARD_DESCRIPTOR);
  made.set(CUDNN_ATTR_OPERATION_NORM_BWD_MODE, CUDNN_TYPE_NORM_MODE, &mode);
  made.set(CUDNN_ATTR_OPERATION_NORM_BWD_XDESC, of.array(kX));
  made.set(CUDNN_ATTR_OPERATION_NORM_BWD_MEAN_DESC, of.statistic(kMean));
  made.set(CUDNN_ATTR_OPERATION_NORM_BWD_INV_VARIANCE_DESC, of.statistic(kRstd));
  made.set(CUDNN_ATTR_OPERATION_NORM_BWD_DYDESC, of.array(kDy));
  made.set(CUDNN_ATTR_OPERATION_NORM_BWD_SCALE_DESC, of.parameter(kScale));
  made.set(CUDNN_ATTR_OPERATION_NORM_BWD_DSCALE_DESC, of.parameter(kDscale));
  made.set(CUDNN_ATTR_OPERATION_NORM_BWD_DBIAS_DESC, of.parameter(kDbias));
  made.set(CUDNN_ATTR_OPERATION_NORM_BWD_DXDESC, of.array(kDx));
  return made;
}

template <class T>
std::vector<int64_t> key_of(Rows rows) {
  return {int64_t(sizeof(T)), rows.count, rows.width};
}

void* pointer(const void* of) {
  return const_cast<void*>(of);
}

}  // namespace

template <class T>
bool cudnn_layer_norm_forward(Stream stream, const LayerNormForward<T>& of, float epsilon, Rows rows) {
  static CudnnPlans& plans = *new CudnnPlans();
  if (!cudnn() || !fits(rows, sizeof(T), of.x, of.scale, of.bias, of.y, of.mean, of.rstd, of.addend, of.sum))
    return false;
  const CudnnPlan& plan = plans.of(key_of<T>(rows), [&] { return forward_operation(NormTensors<T>{rows}); });
  if (!plan.exists()) return false;
  if (of.addend) add_forward(stream, of.x, of.addend, of.sum, rows.count * rows.width);
  plan.run(stream, {{kX, pointer(of.addend ? of.sum : of.x)},
                    {kMean, of.mean},
                    {kRstd, of.rstd},
                    {kScale, pointer(of.scale)},
                    {kBias, pointer(of.bias)},
                    {kEpsilon, &epsilon},
                    {kY, of.y}});
  return true;
}

template <class T>
bool cudnn_layer_norm_backward(Stream stream, const LayerNormBackward<T>& of, Rows rows) {
  static CudnnPlans& plans = *new CudnnPlans();
  if (!cudnn() ||
      !fits(rows, sizeof(T), of.x, of.scale, of.mean, of.rstd, of.dy, of.dx, of.dparameters, of.dsum))
    return false;
  const CudnnPlan& plan = plans.of(key_of<T>(rows), [&] { return backward_operation(NormTensors<T>{rows}); });
  if (!plan.exists()) return false;
  plan.run(stream, {{kX, pointer(of.x)},
                    {kMean, pointer(of.mean)},
                    {kRstd, pointer(of.rstd)},
                    {kDy, pointer(of.dy)},
                    {kScale, pointer(of.scale)},
                    {kDscale, of.dparameters},
                    {kDbias, of.dparameters + rows.width},
                    {kDx, of.dx}});
  if (of.dsum) accumulate(stream, of.dx, of.dsum, rows.count * rows.width);
  return true;
}

template bool cudnn_layer_norm_forward(Stream, const LayerNormForward<float>&, float, Rows);
template bool cudnn_layer_norm_forward(Stream, const LayerNormForward<bf16>&, float, Rows);
template bool cudnn_layer_norm_backward(Stream, const LayerNormBackward<float>&, Rows);
template bool cudnn_layer_norm_backward(Stream, const LayerNormBackward<bf16>&, Rows);

}  // namespace limoe::cuda
