// The name of a kernel, from the text every compiler gives a function that has it as a template argument.
#pragma once

#include <string_view>

namespace limoe::cuda {

// "... [with auto Kernel = limoe::cuda::scale_kernel<float>; ...]" gives limoe::cuda::scale_kernel<float>.
template <auto Kernel>
std::string_view kernel_name() {
  constexpr std::string_view kBefore = "Kernel = ";
  std::string_view text = __PRETTY_FUNCTION__;
  if (const size_t begin = text.find(kBefore); begin != std::string_view::npos)
    text.remove_prefix(begin + kBefore.size());
  return text.substr(0, text.find_first_of(";]"));
}

}  // namespace limoe::cuda
