// Which stage of loading keeps a training step waiting, in words.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "data/batch.h"

namespace limoe {

struct NamedStage {
  const char* name;
  double seconds;
};

// read, decode, resize, augment, tokenize: in the order they happen.
std::array<NamedStage, 5> named_stages(const StageTimes& times);

// Says once, when more than a tenth of the time of the steps went into waiting for batches, which stage is
// the slowest and what helps. The first look only sets the beginning: it holds the filling of the pipeline.
class SlowStageWatch {
 public:
  struct Look {
    double seconds = 0;       // since the last look
    double wait_seconds = 0;  // of them, for batches
    StageTimes times;         // of the loader, since it was made
    int workers = 0;
    int processors = 0;
  };
  std::optional<std::string> look(const Look& now);

 private:
  std::optional<StageTimes> last_;
  bool told_ = false;
};

}  // namespace limoe
