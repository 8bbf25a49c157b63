// Whether the GPU that was found can run this program, and if not, what to say.
#pragma once

#include <string>
#include <string_view>

namespace limoe::cuda {

struct FoundDevices {
  int count = 0;
  int driver = 0, runtime = 0;  // the newest CUDA each serves, as 13000 for 13.0; 0: there is no driver
  std::string status = {};      // the runtime's own words when it found none
  std::string name = {};        // of the first
  int major = 0, minor = 0;     // its compute capability
};

// `built_for`: CMAKE_CUDA_ARCHITECTURES, as "80-real 90a-real 90-virtual". Machine code (real) runs on its
// own compute capability and later ones of the same major number, with an 'a' on its own alone; PTX (virtual)
// on all from its own on; a number by itself is both. Any other word is believed to fit.
bool runs_on(std::string_view built_for, int major, int minor);

// Whether machine code is among it for this architecture alone, as in "90a" or "90a-real".
bool has_code_for(std::string_view built_for, std::string_view architecture);

// What is missing and what to do: no driver, a driver that is too old, no GPU, a GPU the program was not
// built for. Empty when the first device can be used.
std::string why_unusable(const FoundDevices& found, std::string_view built_for);

}  // namespace limoe::cuda
