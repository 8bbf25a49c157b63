// cuda/op_range.h by NVTX, which is headers alone: without a profiler a range costs a few nanoseconds.
#include "cuda/op_range.h"

#include <nvtx3/nvToolsExt.h>

namespace limoe::cuda {

void OpRange::begin(const char* op) {
  nvtxRangePushA(op);
}
void OpRange::end() {
  nvtxRangePop();
}

}  // namespace limoe::cuda
