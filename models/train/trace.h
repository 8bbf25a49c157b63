// Where the time of training steps goes, as Chrome's trace JSON, which Perfetto (ui.perfetto.dev) and
// chrome://tracing open.
//
//   {"displayTimeUnit": "ms", "traceEvents": [
//     {"ph": "X", "cat": "forward", "name": "linear", "pid": 1, "tid": 1, "ts": 12.5, "dur": 3.1,
//      "args": {"layer": "blocks.1.moe", "shape": "[4352, 8]", "dtype": "f32", "bytes": 139264,
//               "inputs": ["[4352, 96]", "[96, 8]"]}},
//     {"ph": "C", "name": "live tensors", "pid": 1, "ts": 15.6, "args": {"bytes": 90177536}}, ...]}
//
// Times are microseconds since the trace began. Spans nest: a step, its phases (load, forward and backward,
// clip, optimizer), the ops in them. An op reports when its output is there, so its forward span begins where
// the span before it ended and holds what happened in between; a backward span is the node's function alone,
// and the gap after it is the engine adding gradients up. `shape` is that of the first output, `bytes` are
// those of all; an input of a backward span that wants no gradient is "". One trace for a thread at a time;
// ops that worker threads help with are one span. Kernels of a device are waited for where a span begins and
// ends, so that it holds the time of its own; a step takes longer then than one that queues them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "autograd/node.h"
#include "tensor/device.h"

namespace limoe {

class Trace {
 public:
  explicit Trace(Device device = {});  // where the ops run
  ~Trace();                            // ops are no longer watched
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  // A span from here to the end of the scope. `trace` may be null: then nothing happens.
  class Span {
   public:
    Span(Trace* trace, const char* category, std::string name);
    ~Span();
    Span(const Span&) = delete;
    Span& operator=(const Span&) = delete;

   private:
    Trace* trace_;
    const char* category_;
    std::string name_;
    double begin_ = 0;
  };

  std::string json() const;

 private:
  struct Event {
    const char* category;
    std::string name, layer, shape, dtype;
    std::vector<std::string> inputs;  // their shapes
    double begin = 0, end = 0;        // microseconds
    int64_t bytes = -1;               // of the outputs; -1: a phase
    int64_t live_bytes = 0;           // of all tensors at the end
  };

  double now() const;
  void add(Event event);  // ends now
  void watch_backward(const Node& node, bool done);

  const Device device_;
  const std::chrono::steady_clock::time_point origin_;
  double last_ = 0;                      // the end of the last op or the begin of the last phase
  std::vector<double> backward_begins_;  // of the nodes that are running: recomputation runs nodes within one
  std::vector<Event> events_;
};

}  // namespace limoe
