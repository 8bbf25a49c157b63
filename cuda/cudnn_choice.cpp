#include "cuda/cudnn_choice.h"

#include "cuda/vendor_cudnn.h"
#include "tensor/error.h"

namespace limoe::cuda {
namespace {

bool for_attention = false, for_layer_norm = false;

}  // namespace

void choose_cudnn(CudnnOp op, bool wanted) {
  const bool is_attention = op == CudnnOp::attention;
  if (std::string why; wanted && !cudnn_available(&why))
    throw CudaError(is_attention ? "attention" : "norm", ": cudnn was asked for, but ", why, "; choose own");
  (is_attention ? for_attention : for_layer_norm) = wanted;
}

bool cudnn_chosen(CudnnOp op) {
  return op == CudnnOp::attention ? for_attention : for_layer_norm;
}

}  // namespace limoe::cuda
