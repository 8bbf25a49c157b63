#include "cuda/gemm_choice.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <sstream>

#include "cuda/runtime.h"
#include "cuda/vendor_gemm.h"
#include "tensor/error.h"

namespace limoe::cuda {
namespace {

constexpr int kRepeats = 5;  // the least time of these counts; the first warms up

GemmChoice chosen = GemmChoice::own;
std::mutex mutex;
std::map<std::string, bool> vendor_faster;  // by product

struct OwnedEvent {
  Event event = make_event();
  ~OwnedEvent() { destroy(event); }
};

double least_seconds(Stream stream, const std::function<void()>& run) {
  double least = 0;
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    const OwnedEvent begin, end;
    record(begin.event, stream);
    run();
    record(end.event, stream);
    const double seconds = seconds_between(begin.event, end.event);
    least = repeat == 0 ? seconds : std::min(least, seconds);
  }
  return least;
}

}  // namespace

void set_gemm_choice(GemmChoice choice) {
  std::string why;
  const bool available = choice == GemmChoice::own || vendor_gemm_available(&why);
  if (!available && choice == GemmChoice::cublas)
    throw CudaError("gemm: cublas was asked for, but ", why, "; choose own or auto");
  chosen = available ? choice : GemmChoice::own;
}

GemmChoice gemm_choice() {
  return chosen;
}

std::optional<bool> known_vendor_is_faster(const std::string& product) {
  const std::lock_guard<std::mutex> lock(mutex);
  const auto known = vendor_faster.find(product);
  return known == vendor_faster.end() ? std::nullopt : std::optional(known->second);
}

bool vendor_is_faster(Stream stream, const std::string& product, const std::function<void()>& run_own,
                      const std::function<bool()>& run_vendor) {
  if (const std::optional<bool> known = known_vendor_is_faster(product)) return *known;
  const bool faster = run_vendor() && least_seconds(stream, run_vendor) < least_seconds(stream, run_own);
  const std::lock_guard<std::mutex> lock(mutex);
  return vendor_faster[product] = faster;
}

std::string joined_name(const std::vector<int64_t>& numbers) {
  std::string name = "gemm";
  for (const int64_t number : numbers) name.append("_").append(std::to_string(number));
  return name;
}

std::string measured_gemm_choices() {
  const std::lock_guard<std::mutex> lock(mutex);
  std::string lines;
  for (const auto& [product, vendor] : vendor_faster) lines += product + (vendor ? " cublas\n" : " own\n");
  return lines;
}

void recall_gemm_choices(const std::string& lines) {
  std::map<std::string, bool> recalled;
  std::istringstream in(lines);
  for (std::string line; std::getline(in, line);) {
    const size_t space = line.find(' ');
    const std::string choice = space == std::string::npos ? "" : line.substr(space + 1);
    if (space == 0 || (choice != "own" && choice != "cublas"))
      throw ValueError("gemm choices: a line is \"", line, "\"; expected a product, a space, own or cublas");
    recalled[line.substr(0, space)] = choice == "cublas";
  }
  const std::lock_guard<std::mutex> lock(mutex);
  vendor_faster = recalled;
}

}  // namespace limoe::cuda
