// The name of the op that gives a device its work, as a range that Nsight Systems shows above the kernels.
//
//   nsys profile -t cuda,nvtx build/limoe bench step --config configs/emoji.toml --device cuda --nvtx
//
// Off at first, unless LIMOE_NVTX is set and not 0. The simulator has no profiler: it keeps the names for
// tests (cuda/sim/op_range.h).
#pragma once

namespace limoe::cuda {

void name_ops(bool wanted);
bool names_ops();

// From here to the end of the scope. Ranges nest.
class OpRange {
 public:
  explicit OpRange(const char* op) : shown_(names_ops()) {
    if (shown_) begin(op);
  }
  ~OpRange() {
    if (shown_) end();
  }
  OpRange(const OpRange&) = delete;
  OpRange& operator=(const OpRange&) = delete;

 private:
  static void begin(const char* op);
  static void end();

  const bool shown_;
};

}  // namespace limoe::cuda
