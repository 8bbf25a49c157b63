// --gemm, --gemm-choices, --attention and --norm made true for the program, and the words a run says about
// its device.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "models/train/config.h"

namespace limoe {

class VendorKeys {
 public:
  // After cuda::install(). For gemm 'auto' recalls what was measured on this GPU before. Throws CudaError
  // when 'cublas' or 'cudnn' is asked for and cannot be had, FileError for a damaged file of choices.
  explicit VendorKeys(const TrainConfig& config);

  // Rows for the table of the machine: the GPU, who multiplies, what cuDNN computes. None on the CPU.
  std::vector<std::pair<std::string, std::string>> rows() const;

  // Writes what gemm 'auto' has measured by now; nothing for the others. Throws FileError.
  void keep() const;

 private:
  std::string by_cudnn_;        // ops, with commas; empty when there are none
  std::string gpu_;             // its name; empty on the CPU
  std::string products_;        // who multiplies, in words
  std::string path_, heading_;  // of the file of choices; empty unless choices are measured
};

}  // namespace limoe
