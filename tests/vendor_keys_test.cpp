// --gemm, --attention, --norm: refused where they mean nothing; the file of what gemm 'auto' measured.
#include "models/cli/vendor_keys.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <optional>

#include "cuda/cudnn_choice.h"
#include "cuda/gemm_choice.h"
#include "cuda/gemm_choice_file.h"
#include "cuda/runtime.h"
#include "cuda/vendor_cudnn.h"
#include "cuda/vendor_nccl.h"
#include "tensor/error.h"
#include "tests/support/device.h"
#include "tests/support/limoe_says.h"
#include "tests/support/scratch_folder.h"

using namespace limoe;
using testing::limoe_says;
using testing::Said;
using testing::ScratchFolder;

namespace {

// A variable of the environment that is what it was at the end of the scope.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    if (const char* const before = std::getenv(name)) before_ = before;
    setenv(name, value.c_str(), 1);
  }
  ~Variable() {
    if (before_)
      setenv(name_, before_->c_str(), 1);
    else
      unsetenv(name_);
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* const name_;
  std::optional<std::string> before_;
};

std::string text_of_file(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("vendor keys: another choice than own needs a GPU, and a file of choices needs auto") {
  const ScratchFolder folder;
  const auto errors_of = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"train", "--train-data", folder / "none", "--out", folder / "run"});
    const Said said = limoe_says(words);
    CHECK(said.status != 0);
    return said.errors;
  };
  for (const char* device : {"cpu", "sim"})
    for (const char* gemm : {"cublas", "auto"})
      CHECK(errors_of({"--gemm", gemm, "--device", device}) ==
            std::string("limoe: config: gemm is ") + gemm + " on device " + device +
                "; expected own, or device cuda: cuBLASLt needs a GPU\n");
  for (const char* key : {"attention", "norm"})
    CHECK(errors_of({std::string("--") + key, "cudnn", "--device", "sim"}) ==
          std::string("limoe: config: ") + key +
              " is cudnn on device sim; expected own, or device cuda: cuDNN needs a GPU\n");
  CHECK(errors_of({"--norm", "apex"}) == "limoe: config: norm is \"apex\"; expected 'own', 'cudnn'\n");
  CHECK(errors_of({"--nvtx"}) ==
        "limoe: config: nvtx is true on device cpu; expected false, or device cuda: it names what a GPU is "
        "given\n");
  CHECK(errors_of({"--gemm", "cutlass"}) ==
        "limoe: config: gemm is \"cutlass\"; expected 'own', 'cublas', 'auto'\n");
  CHECK(
      errors_of({"--gemm-choices", "x.txt"}) ==
      "limoe: config: gemm-choices is given with gemm own; expected gemm auto, the only one that measures\n");
  CHECK(!std::filesystem::exists(folder / "run"));
}

TEST_CASE("vendor keys: the table of the machine says who multiplies, and says nothing of it on the CPU") {
  CHECK(VendorKeys(TrainConfig{}).rows().empty());
  if (!testing::device_under_test()) return;
  TrainConfig config;
  config.device = cuda::is_simulated() ? "sim" : "cuda";
  const auto rows = VendorKeys(config).rows();
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].second == cuda::properties_of(0).name);
  CHECK(rows[1] == std::pair<std::string, std::string>{"products by", "own kernels"});
  CHECK(rows[2].first == "own in bf16 by");
  CHECK(rows[2].second.starts_with(cuda::has_warpgroup_products() ? "warpgroups" : "warps "));
}

TEST_CASE(
    "cudnn: no op at first; refused with the reason where it cannot be had; NCCL says what is missing") {
  CHECK(!cuda::cudnn_chosen(cuda::CudnnOp::attention));
  CHECK(!cuda::cudnn_chosen(cuda::CudnnOp::layer_norm));
  std::string why;
  const std::string nccl = cuda::nccl_name(&why);
  CHECK(nccl.empty() == !why.empty());
  why.clear();
  if (cuda::cudnn_available(&why)) return;
  CHECK(!why.empty());
  CHECK(cuda::cudnn_name().empty());
  CHECK_THROWS_WITH_AS(cuda::choose_cudnn(cuda::CudnnOp::attention, true),
                       ("attention: cudnn was asked for, but " + why + "; choose own").c_str(), CudaError);
  CHECK_THROWS_WITH_AS(cuda::choose_cudnn(cuda::CudnnOp::layer_norm, true),
                       ("norm: cudnn was asked for, but " + why + "; choose own").c_str(), CudaError);
  CHECK(!cuda::cudnn_chosen(cuda::CudnnOp::attention));
  cuda::choose_cudnn(cuda::CudnnOp::attention, false);
}

TEST_CASE("gemm choices: the file is named after the GPU, in XDG_CACHE_HOME or ~/.cache") {
  {
    const Variable cache("XDG_CACHE_HOME", "/c"), home("HOME", "/h");
    CHECK(cuda::default_gemm_choices_path("NVIDIA H200") == "/c/limoe/gemm-choices-nvidia-h200.txt");
  }
  {
    const Variable cache("XDG_CACHE_HOME", ""), home("HOME", "/h");
    CHECK(cuda::default_gemm_choices_path("A/..") == "/h/.cache/limoe/gemm-choices-a---.txt");
  }
  const Variable cache("XDG_CACHE_HOME", ""), home("HOME", "");
  CHECK_THROWS_WITH_AS(cuda::default_gemm_choices_path("A"),
                       "gemm choices: neither XDG_CACHE_HOME nor HOME is set; expected one of them, or "
                       "--gemm-choices FILE",
                       FileError);
}

TEST_CASE("gemm choices: written and recalled; another GPU or library begins anew; damage is named") {
  const ScratchFolder folder;
  const std::string path = folder / "deep/choices.txt";
  const std::string heading = cuda::gemm_choices_heading("NVIDIA H200", "cuBLASLt 13.1.0");
  CHECK(cuda::recall_gemm_choices_from(path, heading) == 0);
  cuda::recall_gemm_choices("gemm_1 cublas\ngemm_2 own\n");
  cuda::write_gemm_choices_to(path, heading);
  CHECK(text_of_file(path) ==
        "# limoe gemm choices: NVIDIA H200, cuBLASLt 13.1.0\ngemm_1 cublas\ngemm_2 own\n");
  cuda::recall_gemm_choices("");
  CHECK(cuda::recall_gemm_choices_from(path, heading) == 2);
  CHECK(cuda::known_vendor_is_faster("gemm_1") == true);
  CHECK(cuda::known_vendor_is_faster("gemm_2") == false);
  CHECK(cuda::recall_gemm_choices_from(path, cuda::gemm_choices_heading("NVIDIA H100", "cuBLASLt 13.1.0")) ==
        0);
  CHECK(!cuda::known_vendor_is_faster("gemm_1"));
  std::ofstream(path) << heading << "\ngemm_1 perhaps\n";
  CHECK_THROWS_WITH_AS(
      cuda::recall_gemm_choices_from(path, heading),
      (path + ": gemm choices: a line is \"gemm_1 perhaps\"; expected a product, a space, own "
              "or cublas; remove the file to measure anew")
          .c_str(),
      FileError);
  cuda::recall_gemm_choices("");
}
