// What `automatic` of cuda/gemm_choice.h measured, kept between runs.
//
//   # limoe gemm choices: NVIDIA H200, cuBLASLt 13.1.0
//   gemm_2_2_12608_2304_768_1_0_0_768_2304_2304_0_1_0_0_0 cublas
//
// A file whose first line names another GPU or library is measured anew and replaced. Our own kernels have no
// number: remove the file after changing one.
#pragma once

#include <string>

namespace limoe::cuda {

// limoe/gemm-choices-<gpu>.txt in $XDG_CACHE_HOME, else in $HOME/.cache; the name of the GPU in small
// letters, with dashes for what is no letter and no digit. Throws FileError when neither variable is set.
std::string default_gemm_choices_path(const std::string& gpu);

// The first line of a file about this GPU and this library.
std::string gemm_choices_heading(const std::string& gpu, const std::string& library);

// Recalls a file's choices and gives back how many; 0, with nothing recalled, when there is no such file or
// its first line is another. Throws FileError, by path, for a line of another form.
int recall_gemm_choices_from(const std::string& path, const std::string& heading);

// Writes what is known now, whole or not at all. Throws FileError.
void write_gemm_choices_to(const std::string& path, const std::string& heading);

}  // namespace limoe::cuda
