// Watches the routers for collapse, and the loss for standing still, and says what to do about it.
//
//   one expert takes more than half of a modality's tokens      -> that modality's global entropy loss is too
//   weak more than a tenth of a modality's choices find no place     -> text is crowded out, or capacity too
//   small the loss is still ln(batch) after 200 steps                 -> the model learns nothing
//
// A finding is reported when it has held for kPatience reports in a row, and once until it has gone away.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "models/train/step_report.h"

namespace limoe {

class RouterGuard {
 public:
  static constexpr int kPatience = 5;
  static constexpr double kLargestLoad = 0.5;
  static constexpr double kLargestDropRate = 0.1;
  static constexpr int64_t kStepsToLearn = 200;

  std::vector<std::string> look(const StepReport& report);  // what there is to say, mostly nothing

 private:
  bool holds(const std::string& finding, bool now);
  std::map<std::string, int> in_a_row_;
};

}  // namespace limoe
