// attention and layer_norm by cuDNN, behind the arguments of cuda/attention.h and cuda/layer_norm.h.
// cuda/vendor gives cuDNN, loaded when it is first asked for, so that the program starts without it; the
// simulator has no such library.
//
// Each is false, having done nothing, when one operation of the library cannot do this: then ours must.
#pragma once

#include <string>

#include "cuda/attention.h"
#include "cuda/layer_norm.h"
#include "tensor/bf16.h"

namespace limoe::cuda {

bool cudnn_available(std::string* why);
std::string cudnn_name();  // "cuDNN 9.19.0"; empty when it is not available

// bf16, all keys valid; the library 9.19 or later where the program was built with its headers. Backward does
// not touch `deltas`, and may give other bits from run to run.
template <class T>
bool cudnn_attention_forward(Stream stream, const AttentionForward<T>& of, const AttentionSizes& sizes);
template <class T>
bool cudnn_attention_backward(Stream stream, const AttentionBackward<T>& of, const AttentionSizes& sizes);

// Rows of whole packs of 16 bytes. With an addend the sum is made by our kernel first, and a gradient that
// reaches x past the norm is added by our kernel after.
template <class T>
bool cudnn_layer_norm_forward(Stream stream, const LayerNormForward<T>& of, float epsilon, Rows rows);
template <class T>
bool cudnn_layer_norm_backward(Stream stream, const LayerNormBackward<T>& of, Rows rows);

}  // namespace limoe::cuda
