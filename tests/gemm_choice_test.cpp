#include "cuda/gemm_choice.h"

#include <doctest/doctest.h>

#include <chrono>
#include <thread>

#include "cuda/vendor_gemm.h"
#include "tensor/error.h"
#include "tests/support/device.h"

using namespace limoe;
using cuda::GemmChoice;

TEST_CASE("gemm choice: own at first; cublas is refused with the reason where it cannot be had") {
  CHECK(cuda::gemm_choice() == GemmChoice::own);
  std::string why;
  if (cuda::vendor_gemm_available(&why)) return;
  CHECK(!why.empty());
  CHECK_THROWS_WITH_AS(cuda::set_gemm_choice(GemmChoice::cublas),
                       ("gemm: cublas was asked for, but " + why + "; choose own or auto").c_str(),
                       CudaError);
  cuda::set_gemm_choice(GemmChoice::automatic);
  CHECK(cuda::gemm_choice() == GemmChoice::own);
}

TEST_CASE("gemm choice: the faster one is measured once, written down and recalled") {
  if (!testing::device_under_test()) return;
  cuda::recall_gemm_choices("");
  int runs = 0;
  const auto slow = [&] {
    ++runs;
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
    return true;
  };
  const auto fast = [&] {
    ++runs;
    return true;
  };
  const auto cannot = [] { return false; };
  CHECK(cuda::vendor_is_faster({}, "slow_own", slow, fast));
  const int measured = runs;
  CHECK(measured > 2);
  CHECK(cuda::vendor_is_faster({}, "slow_own", slow, fast));
  CHECK(runs == measured);
  CHECK(!cuda::vendor_is_faster({}, "slow_vendor", fast, slow));
  CHECK(!cuda::vendor_is_faster({}, "only_own", slow, cannot));
  CHECK(cuda::measured_gemm_choices() == "only_own own\nslow_own cublas\nslow_vendor own\n");
  cuda::recall_gemm_choices("other own\n");
  CHECK(cuda::known_vendor_is_faster("other") == false);
  CHECK(!cuda::known_vendor_is_faster("slow_own"));
  for (const char* line : {"product", " own", "product other"})
    CHECK_THROWS_AS(cuda::recall_gemm_choices(line), ValueError);
  CHECK(cuda::known_vendor_is_faster("other") == false);
  cuda::recall_gemm_choices("");
}
