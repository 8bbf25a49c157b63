// Who makes the products of cuda/gemm.h: our kernels, or cuBLASLt where the library is found at run time.
//
// own        ours alone; the bits are the same in every run.
// cublas     cuBLASLt, for the products and epilogues it has in one call; ours for the rest.
// automatic  for each product that is new, both are timed on the spot and the faster one is kept. What was
//            measured is written down and recalled (cuda/gemm_choice_file.h), so that another run chooses
//            alike.
// The experts' products (cuda/grouped_linear.h) are always ours; docs/kernels.md says why.
// Chosen once for the program, own at first; not to be changed while other threads give work to a device.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cuda/stream.h"

namespace limoe::cuda {

enum class GemmChoice { own, cublas, automatic };

// Throws CudaError, saying what is missing, when cuBLASLt is asked for and cannot be had; `automatic` without
// it is `own`.
void set_gemm_choice(GemmChoice choice);
GemmChoice gemm_choice();

// For `automatic`: whether run_vendor took less time on the stream than run_own, measured the first time
// `product` (any name without white space) is asked about. A run_vendor that is false has done nothing: then
// ours is the choice.
bool vendor_is_faster(Stream stream, const std::string& product, const std::function<void()>& run_own,
                      const std::function<bool()>& run_vendor);
// What is known of a product without measuring.
std::optional<bool> known_vendor_is_faster(const std::string& product);

// "gemm" and the numbers, joined by underscores.
std::string joined_name(const std::vector<int64_t>& numbers);

// What was measured, one line a product: its name, a space, own or cublas.
std::string measured_gemm_choices();
void recall_gemm_choices(const std::string& lines);  // throws ValueError for a line of another form

}  // namespace limoe::cuda
