#include "models/cli/bench_step_report.h"

#include <algorithm>
#include <cmath>

#include "models/cli/bench_program.h"
#include "models/cli/table.h"
#include "tensor/cpu_level.h"
#include "tensor/error.h"

namespace limoe {
namespace {

using Json = nlohmann::ordered_json;

// Less than this is no work of memory but the fixed cost of a call.
constexpr double kLeastBytes = 16 << 10;

// The share of its own limit: the time the peaks allow at least, by the time it took. 0 where nothing is
// known, as of products in bf16: the peak is that of fp32.
double share_of_limit(const OpTime& time, const MachinePeaks& peaks, MatmulPrecision products) {
  if (time.milliseconds <= 0 || time.calls <= 0) return 0;
  if (products != MatmulPrecision::fp32 && time.multiplies_weights()) return 0;
  const double bytes = time.bytes / time.calls;
  const double copy = bytes < kLeastBytes ? 0 : time.bytes / peaks.copy_rate(bytes);
  return 1000 * std::max(time.flop / peaks.flop_per_second, copy) / time.milliseconds;
}

double giga_per_second(double amount, double milliseconds) {
  return milliseconds > 0 ? amount / milliseconds / 1e6 : 0;
}

std::string rate_of(const OpTime& time) {
  if (time.flop > 0) return with_decimals(giga_per_second(time.flop, time.milliseconds), 1) + " GFLOP/s";
  if (time.bytes >= kLeastBytes * time.calls)
    return with_decimals(giga_per_second(time.bytes, time.milliseconds), 1) + " GB/s";
  return "";
}

const char* name_of(MatmulPrecision precision) {
  return precision == MatmulPrecision::fp32 ? "fp32" : "bf16";
}

std::string ops_table(const StepBenchResult& result, const std::optional<MachinePeaks>& peaks) {
  Table table(
      {Align::left, Align::left, Align::right, Align::right, Align::right, Align::right, Align::right});
  table.heading({"op", "pass", "calls", "ms", "of the step", "rate", "of its limit"});
  double whole = 0;
  for (const OpTime& time : result.ops) whole += time.milliseconds;
  for (const OpTime& time : result.ops) {
    const double share = peaks ? share_of_limit(time, *peaks, result.products) : 0;
    table.row({time.op, time.pass == "phase" ? "" : time.pass, with_decimals(time.calls, 0),
               with_decimals(time.milliseconds, 3), with_decimals(100 * time.milliseconds / whole, 1) + " %",
               rate_of(time), share > 0 ? with_decimals(100 * share, 0) + " %" : ""});
  }
  return table.text();
}

}  // namespace

std::optional<MachinePeaks> measured_peaks(int threads) {
  const std::string text = bench_program_output({"--peaks", concatenate("--threads=", threads)});
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return {};
  MachinePeaks peaks{.flop_per_second = json["flop_per_second"], .copy_rates = {}};
  for (const Json& rate : json["copy_rates"]) peaks.copy_rates[rate["bytes"]] = rate["bytes_per_second"];
  return peaks;
}

double MachinePeaks::copy_rate(double bytes) const {
  double nearest = 0, rate = 0;
  for (const auto& [size, measured] : copy_rates)
    if (rate == 0 || std::abs(std::log(size / bytes)) < std::abs(std::log(nearest / bytes)))
      nearest = size, rate = measured;
  return rate;
}

std::string step_text(const StepBenchResult& result, const std::optional<MachinePeaks>& peaks) {
  const double milliseconds = result.median_milliseconds();
  Table table({Align::left, Align::right});
  table.heading({"a training step"});
  table.row({"threads", std::to_string(result.threads)});
  if (result.device == "cpu")
    table.row({"products of linear layers", name_of(result.products)});
  else
    table.row({"device", result.device + " in " + result.activations});
  table.row({"pairs, tokens", grouped_digits(result.pairs) + ", " + grouped_digits(result.tokens)});
  table.row({"median", with_decimals(milliseconds, 2) + " ms"});
  table.row({"spread of " + std::to_string(result.milliseconds.size()) + " steps",
             with_decimals(100 * result.spread(), 1) + " %"});
  table.row({"pairs a second", grouped_digits(int64_t(1000 * double(result.pairs) / milliseconds))});
  table.row({"loss, first and last",
             with_decimals(result.losses.front(), 6) + ", " + with_decimals(result.losses.back(), 6)});
  table.row({"tensors at most", readable_bytes(double(result.peak_tensor_bytes))});
  table.row({"process at most", readable_bytes(double(result.peak_resident)) + ", of it before the model " +
                                    readable_bytes(double(result.resident_before))});
  if (result.ops.empty()) return table.text();
  std::string text = table.text() + ops_table(result, peaks);
  if (result.device != "cpu")
    text +=
        "\nNo limits: those that are measured are the processor's. The device was waited for after every "
        "op.\n";
  else if (!peaks)
    text += "\nNo limits: they are measured by limoe_bench, which is not built (`make bench`).\n";
  return text;
}

Json step_json(const StepBenchResult& result, const std::optional<MachinePeaks>& peaks) {
  Json json = {{"benchmark", "step"},
               {"device", result.device},
               {"activations", result.activations},
               {"threads", result.threads},
               {"built_for", cpu_level()},
               {"products", name_of(result.products)},
               {"pairs", result.pairs},
               {"tokens", result.tokens},
               {"median_ms", result.median_milliseconds()},
               {"spread", result.spread()},
               {"pairs_per_second", 1000 * double(result.pairs) / result.median_milliseconds()},
               {"peak_tensor_bytes", result.peak_tensor_bytes},
               {"resident_before_bytes", result.resident_before},
               {"peak_resident_bytes", result.peak_resident},
               {"ms", result.milliseconds},
               {"losses", result.losses}};
  if (peaks) json["machine"] = {{"flop_per_second", peaks->flop_per_second}};
  for (const OpTime& time : result.ops) {
    Json op = {{"op", time.op},           {"pass", time.pass}, {"calls", time.calls},
               {"ms", time.milliseconds}, {"flop", time.flop}, {"bytes", time.bytes}};
    if (peaks) op["share_of_limit"] = share_of_limit(time, *peaks, result.products);
    json["ops"].push_back(std::move(op));
  }
  return json;
}

}  // namespace limoe
