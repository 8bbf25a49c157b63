#include "cuda/vendor_cudnn.h"

#include "cuda/vendor/cudnn.h"
#include "tensor/error.h"

namespace limoe::cuda {

bool cudnn_available(std::string* why) {
  return cudnn(why) != nullptr;
}

std::string cudnn_name() {
  if (!cudnn()) return "";
  const size_t version = cudnn()->version();
  return concatenate("cuDNN ", version / 10000, ".", version / 100 % 100, ".", version % 100);
}

}  // namespace limoe::cuda
