// limoe_device_bench: the op benches on a GPU, checked against the CPU and timed by the GPU's own events.
//
//   limoe_device_bench [OP | OP/PASS ...] [--by own|vendor] [--repetitions N] [--json FILE] [--list] [--dry]
//
// --by vendor    products by cuBLASLt, attention and LayerNorm by cuDNN, where each can; "by_vendor" in the
//                JSON says of a case whether one of them was given work
// --dry          tiny shapes, checked and not timed: on a GPU, or in the simulator
// Exit status 0, 1 (a case was wrong, the others were still timed; or it failed), 2 (called wrongly).
#include <charconv>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "bench/support/bench_table.h"
#include "bench/support/device_bench.h"
#include "cuda/cudnn_choice.h"
#include "cuda/gemm_choice.h"
#include "cuda/install.h"
#include "cuda/runtime.h"
#include "cuda/vendor_calls.h"
#include "cuda/vendor_cudnn.h"
#include "cuda/vendor_gemm.h"
#include "cuda/vendor_nccl.h"
#include "tensor/error.h"

namespace limoe::bench {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFailed = 1, kCalledWrongly = 2;

struct Arguments {
  std::vector<std::string> ops;
  std::string by = "own", json;
  int repetitions = 21;
  bool list = false, dry = false;
};

int parsed_repetitions(const std::string& text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1)
    throw UsageError("--repetitions: is \"", text, "\"; expected a number, 1 or more");
  return number;
}

Arguments parsed(const std::vector<std::string>& words) {
  Arguments arguments;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const auto value = [&] {
      if (++i == words.size()) throw UsageError(word, " has no value; expected one");
      return words[i];
    };
    if (word == "--list")
      arguments.list = true;
    else if (word == "--dry")
      arguments.dry = true;
    else if (word == "--json")
      arguments.json = value();
    else if (word == "--repetitions")
      arguments.repetitions = parsed_repetitions(value());
    else if (word == "--by")
      arguments.by = value();
    else if (word.starts_with("-"))
      throw UsageError(
          word, " is no flag of limoe_device_bench; expected --by, --repetitions, --json, --list or --dry");
    else
      arguments.ops.push_back(word);
  }
  if (arguments.by != "own" && arguments.by != "vendor")
    throw UsageError("--by: is \"", arguments.by, "\"; expected own or vendor");
  return arguments;
}

Device installed_device(bool dry) {
  if (std::string why; !cuda::install(&why)) throw DeviceError("limoe_device_bench: ", why);
  if (cuda::is_simulated() && !dry)
    throw UsageError("this program was built for the simulator, whose times mean nothing; expected --dry");
  return {cuda::is_simulated() ? DeviceKind::sim : DeviceKind::cuda, 0};
}

void choose(const std::string& by) {
  if (by == "own") return;
  cuda::set_gemm_choice(cuda::GemmChoice::cublas);
  cuda::choose_cudnn(cuda::CudnnOp::attention, true);
  cuda::choose_cudnn(cuda::CudnnOp::layer_norm, true);
}

Json machine_json(const Arguments& arguments) {
  const cuda::DeviceProperties gpu = cuda::properties_of(0);
  return {{"gpu", gpu.name},
          {"multiprocessors", gpu.multiprocessors},
          {"memory_bytes", gpu.memory_bytes},
          {"by", arguments.by},
          {"cublas", cuda::vendor_gemm_name()},
          {"cudnn", cuda::cudnn_name()},
          {"nccl", cuda::nccl_name()},
          {"repetitions", arguments.dry ? 0 : arguments.repetitions}};
}

// Bytes of a case are those of f32; bf16 moves half as many.
double bytes_in(DType dtype, double bytes) {
  return dtype == DType::bf16 ? bytes / 2 : bytes;
}

void print_line(const BenchCase& one, DType dtype, const Json& entry) {
  const std::string name = concatenate(one.name(), " ", dtype);
  std::printf("%-84s error %.1e", name.c_str(), entry["error"].get<double>());
  if (entry.contains("microseconds")) {
    const double seconds = entry["microseconds"].get<double>() * 1e-6;
    std::printf("  %10.2f us", seconds * 1e6);
    if (one.flop > 0)
      std::printf("  %8.1f TFLOP/s", one.flop / seconds * 1e-12);
    else
      std::printf("  %8.0f GB/s", bytes_in(dtype, one.bytes) / seconds * 1e-9);
  }
  std::printf("\n");
  std::fflush(stdout);
}

Json measured(const DeviceCase& one, const Tensors& wanted, Device device, DType dtype,
              const Arguments& arguments) {
  const BenchCall call = device_call(one, device, dtype);
  const int64_t calls_before = cuda::vendor_calls;
  const double error = expect_device_agrees(one.there, call(), wanted, dtype);
  Json entry{{"name", one.there.name()},
             {"dtype", std::string(name_of(dtype))},
             {"flop", one.there.flop},
             {"bytes", bytes_in(dtype, one.there.bytes)},
             {"by_vendor", cuda::vendor_calls > calls_before},
             {"error", error}};
  if (arguments.dry) return entry;
  const DeviceTime time = time_on_device(call, device, arguments.repetitions);
  entry["microseconds"] = time.median * 1e6;
  entry["least_microseconds"] = time.least * 1e6;
  entry["most_microseconds"] = time.most * 1e6;
  return entry;
}

// The cases of the table whose ops were named, or all.
std::vector<DeviceCase> chosen_cases(const Arguments& arguments, Device device) {
  std::vector<DeviceCase> all = device_cases(device, arguments.dry ? BenchSize::tiny : BenchSize::gpu);
  std::vector<BenchCase> there;
  for (const DeviceCase& one : all) there.push_back(one.there);
  std::set<std::string> names;
  for (const BenchCase& one : select_cases(there, arguments.ops, false)) names.insert(one.name());
  std::erase_if(all, [&](const DeviceCase& one) { return !names.contains(one.there.name()); });
  return all;
}

// In f32 and bf16; false when one of them is wrong, which is told and kept as well.
bool add_case(Json& cases, const DeviceCase& one, Device device, const Arguments& arguments) {
  bool right = true;
  const Tensors wanted = reference_outputs(one);
  for (const DType dtype : {DType::f32, DType::bf16}) {
    if (dtype == DType::bf16 && one.there.f32_alone) continue;
    try {
      cases.push_back(measured(one, wanted, device, dtype, arguments));
      print_line(one.there, dtype, cases.back());
    } catch (const Error& error) {
      std::cerr << "limoe_device_bench: " << error.what() << std::endl;
      cases.push_back(
          {{"name", one.there.name()}, {"dtype", std::string(name_of(dtype))}, {"wrong", error.what()}});
      right = false;
    }
  }
  return right;
}

int run(const Arguments& arguments) {
  const Device device = installed_device(arguments.dry || arguments.list);
  const std::vector<DeviceCase> cases = chosen_cases(arguments, device);
  if (arguments.list) {
    for (const DeviceCase& one : cases) std::cout << one.there.name() << "\n";
    return 0;
  }
  choose(arguments.by);
  Json json = machine_json(arguments);
  json["cases"] = Json::array();
  bool all_right = true;
  for (const DeviceCase& one : cases) all_right &= add_case(json["cases"], one, device, arguments);
  if (!arguments.json.empty()) {
    std::ofstream file(arguments.json);
    if (!(file << json.dump(1) << '\n' << std::flush)) throw FileError(arguments.json, ": cannot be written");
  }
  return all_right ? 0 : kFailed;
}

}  // namespace
}  // namespace limoe::bench

int main(int argc, char** argv) {
  try {
    return limoe::bench::run(limoe::bench::parsed({argv + 1, argv + argc}));
  } catch (const limoe::UsageError& error) {
    std::cerr << "limoe_device_bench: " << error.what() << std::endl;
    return limoe::bench::kCalledWrongly;
  } catch (const std::exception& error) {
    std::cerr << "limoe_device_bench: " << error.what() << std::endl;
    return limoe::bench::kFailed;
  }
}
