// NCCL, which GPUs will talk through; one GPU needs none.
#pragma once

#include <string>

namespace limoe::cuda {

// "NCCL 2.28.9" of the library that is found at run time; empty, with the reason in `why`, without one.
std::string nccl_name(std::string* why = nullptr);

}  // namespace limoe::cuda
