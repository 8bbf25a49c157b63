// Which ops cuDNN computes, where it is found at run time and has them in one operation; at first none, and
// ours the rest. Chosen once for the program, not to be changed while other threads give work to a device.
#pragma once

namespace limoe::cuda {

enum class CudnnOp { attention, layer_norm };

// Throws CudaError, saying what is missing, when cuDNN is wanted and cannot be had.
void choose_cudnn(CudnnOp op, bool wanted);
bool cudnn_chosen(CudnnOp op);

}  // namespace limoe::cuda
