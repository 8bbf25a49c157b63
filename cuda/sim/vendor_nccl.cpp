// cuda/vendor_nccl.h for the simulator, and for a build without the library's header.
#include "cuda/vendor_nccl.h"

#include "cuda/runtime.h"

namespace limoe::cuda {

std::string nccl_name(std::string* why) {
  if (why)
    *why = is_simulated() ? "this build simulates the device, and NCCL needs a real one"
                          : "this program was built without NCCL's header";
  return "";
}

}  // namespace limoe::cuda
