// cuda/vendor_cudnn.h for the simulator, and for a build without the library's headers.
#include "cuda/vendor_cudnn.h"

#include "cuda/runtime.h"
#include "tensor/bf16.h"

namespace limoe::cuda {

bool cudnn_available(std::string* why) {
  if (why)
    *why = is_simulated() ? "this build simulates the device, and cuDNN needs a real one"
                          : "this program was built without cuDNN's headers";
  return false;
}
std::string cudnn_name() {
  return "";
}

template <class T>
bool cudnn_attention_forward(Stream, const AttentionForward<T>&, const AttentionSizes&) {
  return false;
}
template <class T>
bool cudnn_attention_backward(Stream, const AttentionBackward<T>&, const AttentionSizes&) {
  return false;
}
template <class T>
bool cudnn_layer_norm_forward(Stream, const LayerNormForward<T>&, float, Rows) {
  return false;
}
template <class T>
bool cudnn_layer_norm_backward(Stream, const LayerNormBackward<T>&, Rows) {
  return false;
}

template bool cudnn_attention_forward(Stream, const AttentionForward<float>&, const AttentionSizes&);
template bool cudnn_attention_forward(Stream, const AttentionForward<bf16>&, const AttentionSizes&);
template bool cudnn_attention_backward(Stream, const AttentionBackward<float>&, const AttentionSizes&);
template bool cudnn_attention_backward(Stream, const AttentionBackward<bf16>&, const AttentionSizes&);
template bool cudnn_layer_norm_forward(Stream, const LayerNormForward<float>&, float, Rows);
template bool cudnn_layer_norm_forward(Stream, const LayerNormForward<bf16>&, float, Rows);
template bool cudnn_layer_norm_backward(Stream, const LayerNormBackward<float>&, Rows);
template bool cudnn_layer_norm_backward(Stream, const LayerNormBackward<bf16>&, Rows);

}  // namespace limoe::cuda
