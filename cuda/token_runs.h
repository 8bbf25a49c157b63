// How the rows of a token matrix are cut into sequences, as kernels are told: runs of `count` sequences of
// `length` tokens. The form of ops/sequences.h with every run's place worked out.
#pragma once

#include <cstdint>

namespace limoe::cuda {

struct TokenRun {
  int64_t first_token, first_sequence, count, length;
};

}  // namespace limoe::cuda
