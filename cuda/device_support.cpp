#include "cuda/device_support.h"

#include <charconv>
#include <sstream>

#include "tensor/error.h"

namespace limoe::cuda {
namespace {

constexpr int kLeastMajor = 8;  // the kernels copy by cp.async and multiply bf16 by mma.sync

std::string cuda_version(int number) {
  return concatenate(number / 1000, ".", number % 1000 / 10);
}

// "90a-real" on 9.0.
bool word_runs_on(std::string_view word, int major, int minor) {
  const size_t dash = word.find('-');
  std::string_view number = word.substr(0, dash);
  const std::string_view kind = dash == std::string_view::npos ? "" : word.substr(dash + 1);
  const bool own_alone = number.ends_with('a');
  if (own_alone) number.remove_suffix(1);
  int built = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), built);
  if (error != std::errc() || end != number.data() + number.size()) return true;
  const int found = 10 * major + minor;
  if (own_alone) return found == built;
  const bool by_machine_code = kind != "virtual" && found / 10 == built / 10 && found >= built;
  const bool by_ptx = kind != "real" && found >= built;
  return by_machine_code || by_ptx;
}

}  // namespace

bool runs_on(std::string_view built_for, int major, int minor) {
  std::istringstream words{std::string(built_for)};
  for (std::string word; words >> word;)
    if (word_runs_on(word, major, minor)) return true;
  return false;
}

bool has_code_for(std::string_view built_for, std::string_view architecture) {
  std::istringstream words{std::string(built_for)};
  for (std::string word; words >> word;)
    if (word == architecture || word == concatenate(architecture, "-real")) return true;
  return false;
}

std::string why_unusable(const FoundDevices& found, std::string_view built_for) {
  if (found.driver == 0) return "no NVIDIA driver was found; install one, or use --device cpu";
  if (found.driver / 1000 < found.runtime / 1000)
    return concatenate("the NVIDIA driver serves CUDA ", cuda_version(found.driver), "; expected ",
                       cuda_version(found.runtime / 1000 * 1000),
                       " or newer; install a newer driver, or use --device cpu");
  if (found.count == 0)
    return concatenate("no GPU was found (", found.status,
                       "); look at nvidia-smi and CUDA_VISIBLE_DEVICES, or use --device cpu");
  const std::string capability =
      concatenate(found.name, " has compute capability ", found.major, ".", found.minor);
  if (found.major < kLeastMajor)
    return concatenate(capability, "; expected ", kLeastMajor, ".0 or more; use --device cpu");
  if (!runs_on(built_for, found.major, found.minor))
    return concatenate(capability, "; this program was built for ", built_for,
                       "; build it with -DCMAKE_CUDA_ARCHITECTURES=", found.major, found.minor);
  return "";
}

}  // namespace limoe::cuda
