// What is said where no GPU can be used, and memory that runs out on a device.
#include "cuda/device_support.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <numeric>
#include <optional>

#include "cuda/runtime.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tests/support/device.h"
#include "tests/support/paths.h"
#include "tests/support/shard_fixture.h"

using namespace limoe;
using cuda::FoundDevices;
using cuda::why_unusable;

namespace {

const char* const kBuiltFor = "80-real 90a-real 90-virtual";

FoundDevices one_gpu(const char* name, int major, int minor) {
  return {.count = 1, .driver = 13000, .runtime = 13000, .name = name, .major = major, .minor = minor};
}

}  // namespace

TEST_CASE("device support: machine code runs on its capability and later minor ones, PTX on all later ones") {
  CHECK(cuda::runs_on(kBuiltFor, 8, 0));
  CHECK(cuda::runs_on(kBuiltFor, 8, 9));
  CHECK(cuda::runs_on(kBuiltFor, 9, 0));
  CHECK(cuda::runs_on(kBuiltFor, 12, 1));
  CHECK(!cuda::runs_on(kBuiltFor, 7, 5));
  CHECK(cuda::runs_on("90a-real", 9, 0));
  CHECK(!cuda::runs_on("90a-real", 10, 0));
  CHECK(!cuda::runs_on("90a-real", 8, 0));
  CHECK(!cuda::runs_on("86-real", 8, 0));
  CHECK(cuda::runs_on("86", 9, 0));
  CHECK(!cuda::runs_on("86", 8, 0));
  CHECK(cuda::runs_on("native", 9, 0));
  CHECK(!cuda::runs_on("", 9, 0));
}

TEST_CASE("device support: code for one architecture alone is found by its name") {
  CHECK(cuda::has_code_for(kBuiltFor, "90a"));
  CHECK(cuda::has_code_for("90a", "90a"));
  CHECK(!cuda::has_code_for("80-real 90-real", "90a"));
  CHECK(!cuda::has_code_for("90a-virtual", "90a"));
  CHECK(!cuda::has_code_for("", "90a"));
}

TEST_CASE("device support: copies of any size arrive whole, and the host's memory may change behind them") {
  const std::optional<Device> device = testing::device_under_test();
  if (!device) return;
  for (const int64_t count : {int64_t{1}, int64_t{262143}, int64_t{262144}, int64_t{9 << 20} + 3}) {
    CAPTURE(count);
    Tensor numbers({count}, DType::i32);
    int32_t* const values = numbers.mutable_data<int32_t>();
    std::iota(values, values + count, 1);
    const Tensor there = to_device(numbers, *device);
    std::fill_n(values, count, 0);
    const Tensor back = to_device(there, {});
    const int32_t* const got = back.data<int32_t>();
    bool same = true;
    for (int64_t i = 0; i < count; ++i) same = same && got[i] == int32_t(i + 1);
    CHECK(same);
  }
}

TEST_CASE("device support: what is missing is one line that says what to do") {
  CHECK(why_unusable(one_gpu("NVIDIA H200", 9, 0), kBuiltFor).empty());
  CHECK(why_unusable({.runtime = 13000, .status = "x"}, kBuiltFor) ==
        "no NVIDIA driver was found; install one, or use --device cpu");
  CHECK(why_unusable({.driver = 12080, .runtime = 13010, .status = "x"}, kBuiltFor) ==
        "the NVIDIA driver serves CUDA 12.8; expected 13.0 or newer; install a newer driver, or use --device "
        "cpu");
  CHECK(why_unusable({.driver = 13000, .runtime = 13010, .status = "no CUDA-capable device is detected"},
                     kBuiltFor) ==
        "no GPU was found (no CUDA-capable device is detected); look at nvidia-smi and CUDA_VISIBLE_DEVICES, "
        "or use --device cpu");
  CHECK(why_unusable(one_gpu("Tesla T4", 7, 5), kBuiltFor) ==
        "Tesla T4 has compute capability 7.5; expected 8.0 or more; use --device cpu");
  CHECK(why_unusable(one_gpu("NVIDIA A100", 8, 0), "90a-real") ==
        "NVIDIA A100 has compute capability 8.0; this program was built for 90a-real; build it with "
        "-DCMAKE_CUDA_ARCHITECTURES=80");
}

TEST_CASE("device memory that runs out while training is one line with the ops that hold it") {
  if (!testing::device_under_test() || !cuda::is_simulated()) return;
  const testing::ScratchFolder folder;
  write_pairs(folder / "pairs", 8, 8);
  const auto errors_with = [&](const char* memory) {
    const std::string command =
        concatenate("LIMOE_SIM_MEMORY=", memory, " '", testing::program_path(), "' train --device sim",
                    " --train-data '", folder / "pairs", "' --out '", folder / "run", "' --overwrite",
                    " --tokenizer bytes --image-size 12 --patch-size 4 --text-length 8 --width 16",
                    " --joint-width 16 --layers 2 --heads 2 --mlp-width 32 --dense --batch-size 4",
                    " --max-steps 1 --threads 1 --workers 0 2>&1 >/dev/null; echo status $?");
    std::FILE* const pipe = popen(command.c_str(), "r");
    REQUIRE(pipe);
    std::string text;
    std::array<char, 4096> part;
    while (const size_t read = std::fread(part.data(), 1, part.size(), pipe)) text.append(part.data(), read);
    pclose(pipe);
    return text;
  };
  const std::string full = errors_with("200000");
  INFO(full);
  CHECK(full.starts_with("limoe: allocator: "));
  CHECK(full.find(" bytes were asked for on sim, where ") != std::string::npos);
  CHECK(full.find("the most by ") != std::string::npos);
  CHECK(full.find("parameters (") != std::string::npos);
  CHECK(full.find("; lower --batch-size or raise --accum-freq, or use --grad-checkpointing") !=
        std::string::npos);
  CHECK(full.ends_with("\nstatus 1\n"));
  CHECK(errors_with("2GB") == "limoe: LIMOE_SIM_MEMORY is \"2GB\"; expected a number of bytes\nstatus 1\n");
}
