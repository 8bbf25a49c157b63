#include "models/cli/vendor_keys.h"

#include <tuple>

#include "cuda/cudnn_choice.h"
#include "cuda/gemm_choice.h"
#include "cuda/gemm_choice_file.h"
#include "cuda/runtime.h"
#include "cuda/vendor_gemm.h"
#include "models/train/readable.h"
#include "tensor/device.h"
#include "tensor/error.h"

namespace limoe {
namespace {

cuda::GemmChoice choice_named(const std::string& name) {
  if (name == "cublas") return cuda::GemmChoice::cublas;
  return name == "auto" ? cuda::GemmChoice::automatic : cuda::GemmChoice::own;
}

}  // namespace

VendorKeys::VendorKeys(const TrainConfig& config) {
  const Device device = parse_device(config.device);
  if (device.kind == DeviceKind::cpu) return;
  const cuda::DeviceProperties found = cuda::properties_of(device.index);
  gpu_ = found.name;
  for (const auto& [op, name, value] : {std::tuple{cuda::CudnnOp::attention, "attention", config.attention},
                                        std::tuple{cuda::CudnnOp::layer_norm, "LayerNorm", config.norm}}) {
    cuda::choose_cudnn(op, value == "cudnn");
    if (value == "cudnn") by_cudnn_ += (by_cudnn_.empty() ? "" : ", ") + std::string(name);
  }
  cuda::set_gemm_choice(choice_named(config.gemm));
  products_ = config.gemm == "own" ? "own kernels" : cuda::vendor_gemm_name();
  if (config.gemm != "auto") return;
  if (std::string why; !cuda::vendor_gemm_available(&why)) {
    products_ = "own kernels alone: gemm is auto, but " + why;
    return;
  }
  path_ = config.gemm_choices.empty() ? cuda::default_gemm_choices_path(gpu_) : config.gemm_choices;
  heading_ = cuda::gemm_choices_heading(gpu_, cuda::vendor_gemm_name());
  const int known = cuda::recall_gemm_choices_from(path_, heading_);
  products_ = concatenate("own kernels or ", cuda::vendor_gemm_name(), ", the faster one; ",
                          counted(known, "shape"), " known from ", path_);
}

std::vector<std::pair<std::string, std::string>> VendorKeys::rows() const {
  if (gpu_.empty()) return {};
  std::vector<std::pair<std::string, std::string>> all{{"kernels run on", gpu_}, {"products by", products_}};
  if (products_.starts_with("own"))
    all.emplace_back("own in bf16 by", cuda::has_warpgroup_products()
                                           ? "warpgroups (wgmma), small ones by warps"
                                           : "warps (mma.sync)");
  if (!by_cudnn_.empty()) all.emplace_back("by cuDNN where it can", by_cudnn_);
  return all;
}

void VendorKeys::keep() const {
  if (!path_.empty()) cuda::write_gemm_choices_to(path_, heading_);
}

}  // namespace limoe
