#include "models/train/router_guard.h"

#include <algorithm>
#include <cmath>

#include "tensor/error.h"

namespace limoe {
namespace {

std::string percent(double share) {
  return concatenate(std::lround(100 * share), " %");
}

}  // namespace

bool RouterGuard::holds(const std::string& finding, bool now) {
  int& count = in_a_row_[finding];
  count = now ? count + 1 : 0;
  return count == kPatience;
}

std::vector<std::string> RouterGuard::look(const StepReport& report) {
  std::vector<std::string> findings;
  for (const RouterStatistics& router : report.routers) {
    const std::string modality = name_of(router.modality);
    const std::string where = concatenate("block ", router.block, ", ", modality, " tokens: ");
    if (holds(where + "load", router.load.size() > 2 && router.largest_load() > kLargestLoad)) {
      const auto expert = std::max_element(router.load.begin(), router.load.end()) - router.load.begin();
      findings.push_back(concatenate(where, "expert ", expert, " takes ", percent(router.largest_load()),
                                     " (", kPatience, " reports in a row); raise --global-", modality,
                                     "-weight, or --global-", modality, "-experts"));
    }
    if (holds(where + "drop", router.drop_rate > kLargestDropRate))
      findings.push_back(concatenate(where, percent(router.drop_rate), " find no place (", kPatience,
                                     " reports in a row); raise --capacity-factor, or --global-", modality,
                                     "-weight so that its tokens spread"));
  }
  const bool stuck = report.step >= kStepsToLearn && report.losses.contrastive > 0.98 * report.log_batch;
  if (holds("loss", stuck))
    findings.push_back(concatenate(
        "the loss is ", report.losses.contrastive, " after ", report.step,
        " steps, still about ln(batch) = ", report.log_batch,
        ": nothing is learned; check that captions fit pictures, and try a lower or higher --lr"));
  return findings;
}

}  // namespace limoe
