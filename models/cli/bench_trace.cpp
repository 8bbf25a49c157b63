#include "models/cli/bench_trace.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

namespace limoe {
namespace {

using Json = nlohmann::json;
using Sizes = std::vector<double>;

double product(const Sizes& sizes) {
  double count = 1;
  for (const double size : sizes) count *= size;
  return count;
}

// "[8192, 96]" -> {8192, 96}
Sizes sizes_of(const std::string& shape) {
  const Json json = Json::parse(shape, nullptr, false);
  return json.is_array() ? json.get<Sizes>() : Sizes{};
}

struct Event {
  std::string op, pass;
  Sizes y;
  std::vector<Sizes> inputs;
  double bytes = 0, begin = 0, end = 0;
};

// Elements of one matrix of a kernel [..., K, M].
double kernel_elements(const Event& event, size_t input) {
  if (event.inputs.size() <= input || event.inputs[input].size() < 2) return 0;
  const Sizes& kernel = event.inputs[input];
  return kernel[kernel.size() - 2] * kernel.back();
}

// Multiply-adds of all rows with the kernels that go in: linear layers have one, an mlp two, behind x and, of
// moe_mlp, gates.
double multiply_adds(const Event& event) {
  const bool mlp = event.op.ends_with("mlp");
  if ((!mlp && !event.op.ends_with("linear")) || event.y.empty() || event.y.back() == 0) return 0;
  const double rows = product(event.y) / event.y.back();
  const size_t first = event.op == "moe_mlp" ? 2 : 1;
  return rows * (kernel_elements(event, first) + (mlp ? kernel_elements(event, first + 2) : 0));
}

Event event_of(const Json& json) {
  Event event{.op = json["name"], .pass = json["cat"], .y = {}, .inputs = {}};
  event.begin = json["ts"].get<double>();
  event.end = event.begin + json["dur"].get<double>();
  if (const std::string tail = " backward"; event.op.ends_with(tail))
    event.op.resize(event.op.size() - tail.size());
  if (const auto arguments = json.find("args"); arguments != json.end()) {
    event.y = sizes_of((*arguments)["shape"]);
    for (const Json& input : (*arguments)["inputs"]) event.inputs.push_back(sizes_of(input));
    event.bytes = (*arguments)["bytes"].get<double>();
  }
  return event;
}

// Ops that hand on memory, or a gradient as it is.
bool is_view(const Event& event) {
  const bool backward = event.pass == "backward";
  return event.op == "reshape" || event.op == "slice" ||
         (backward && (event.op == "add" || event.op == "concat"));
}

void add_work(OpTime& time, const Event& event, double attention_flop) {
  const bool backward = event.pass == "backward";
  if (is_view(event)) return;
  if (event.op == "attention") time.flop += backward ? 2.5 * attention_flop : attention_flop;
  time.flop += (backward ? 4 : 2) * multiply_adds(event);
  time.bytes += (backward ? 3 : 2) * event.bytes;  // x, dy and dx; x and y
}

}  // namespace

std::vector<OpTime> op_times(const std::string& trace_json, int64_t steps, double attention_flop) {
  std::map<std::pair<std::string, std::string>, OpTime> times;
  double whole = 0, named = 0;
  const Json trace = Json::parse(trace_json);
  for (const Json& json : trace["traceEvents"]) {
    if (json["ph"] != "X") continue;
    const Event event = event_of(json);
    const double milliseconds = (event.end - event.begin) / 1000;
    if (event.pass == "step") whole += milliseconds;
    if (event.pass == "step") continue;
    OpTime& time = times[{event.op, event.pass}];
    time.op = event.op;
    time.pass = event.pass;
    time.milliseconds += milliseconds;
    time.calls += 1;
    named += milliseconds;
    if (event.pass != "phase") add_work(time, event, attention_flop);
  }
  std::vector<OpTime> all;
  for (const auto& [key, time] : times) all.push_back(time);
  all.push_back({.op = "other", .pass = "phase", .milliseconds = whole - named, .calls = double(steps)});
  for (OpTime& time : all)
    for (double* const sum : {&time.milliseconds, &time.calls, &time.flop, &time.bytes})
      *sum /= double(steps);
  std::stable_sort(all.begin(), all.end(),
                   [](const OpTime& a, const OpTime& b) { return a.milliseconds > b.milliseconds; });
  return all;
}

}  // namespace limoe
