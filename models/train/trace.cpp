#include "models/train/trace.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "autograd/backward.h"
#include "autograd/record.h"
#include "tensor/backend.h"
#include "tensor/caching_allocator.h"
#include "tensor/error.h"

namespace limoe {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kProcess = 1, kThread = 1;

// "blocks.1.moe/linear" -> {"blocks.1.moe", "linear"}
std::pair<std::string, std::string> layer_and_op(const std::string& full_name) {
  const std::size_t slash = full_name.rfind('/');
  if (slash == std::string::npos) return {"", full_name};
  return {full_name.substr(0, slash), full_name.substr(slash + 1)};
}

int64_t bytes_of(const Shape& shape, DType dtype) {
  return shape.element_count() * int64_t(size_of(dtype));
}

}  // namespace

Trace::Trace(Device device) : device_(device), origin_(std::chrono::steady_clock::now()) {
  set_record_observer(
      [this](const std::string& full_name, std::span<const Var> inputs, std::span<const Tensor> ys) {
        auto [layer, op] = layer_and_op(full_name);
        std::vector<std::string> shapes;
        for (const Var& input : inputs) shapes.push_back(concatenate(input.shape()));
        int64_t bytes = 0;
        for (const Tensor& y : ys) bytes += bytes_of(y.shape(), y.dtype());
        add({.category = "forward",
             .name = std::move(op),
             .layer = std::move(layer),
             .shape = concatenate(ys.front().shape()),
             .dtype = concatenate(ys.front().dtype()),
             .inputs = std::move(shapes),
             .begin = last_,
             .bytes = bytes});
      });
  set_backward_observer([this](const Node& node, bool done) { watch_backward(node, done); });
}

Trace::~Trace() {
  set_record_observer({});
  set_backward_observer({});
}

void Trace::watch_backward(const Node& node, bool done) {
  if (!done) {
    backward_begins_.push_back(now());
    last_ = backward_begins_.back();
    return;
  }
  std::vector<std::string> shapes;
  for (const std::shared_ptr<Node>& input : node.inputs)
    shapes.push_back(input ? concatenate(input->shape) : "");
  add({.category = "backward",
       .name = node.op + " backward",
       .layer = node.scope,
       .shape = concatenate(node.shape),
       .dtype = concatenate(node.dtype),
       .inputs = std::move(shapes),
       .begin = backward_begins_.back(),
       .bytes = bytes_of(node.shape, node.dtype)});
  backward_begins_.pop_back();
}

double Trace::now() const {
  backend_of(device_).synchronize();
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - origin_).count();
}

void Trace::add(Event event) {
  event.end = last_ = now();
  event.live_bytes = int64_t(allocator_of(device_).counts().live_bytes);
  events_.push_back(std::move(event));
}

Trace::Span::Span(Trace* trace, const char* category, std::string name)
    : trace_(trace), category_(category), name_(std::move(name)) {
  if (trace_ != nullptr) begin_ = trace_->last_ = trace_->now();
}

Trace::Span::~Span() {
  if (trace_ == nullptr) return;
  trace_->add({.category = category_,
               .name = std::move(name_),
               .layer = {},
               .shape = {},
               .dtype = {},
               .inputs = {},
               .begin = begin_});
}

std::string Trace::json() const {
  Json events = Json::array();
  const auto name_of_process = [&](const char* what, const char* name) {
    events.push_back(
        {{"ph", "M"}, {"name", what}, {"pid", kProcess}, {"tid", kThread}, {"args", {{"name", name}}}});
  };
  name_of_process("process_name", "limoe train");
  name_of_process("thread_name", "training");
  for (const Event& e : events_) {
    Json event = {{"ph", "X"},      {"cat", e.category}, {"name", e.name},        {"pid", kProcess},
                  {"tid", kThread}, {"ts", e.begin},     {"dur", e.end - e.begin}};
    if (e.bytes >= 0)
      event["args"] = {{"layer", e.layer},
                       {"shape", e.shape},
                       {"dtype", e.dtype},
                       {"bytes", e.bytes},
                       {"inputs", e.inputs}};
    events.push_back(std::move(event));
    events.push_back({{"ph", "C"},
                      {"name", "live tensors"},
                      {"pid", kProcess},
                      {"ts", e.end},
                      {"args", {{"bytes", e.live_bytes}}}});
  }
  return Json{{"displayTimeUnit", "ms"}, {"traceEvents", std::move(events)}}.dump();
}

}  // namespace limoe
