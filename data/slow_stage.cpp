#include "data/slow_stage.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "tensor/error.h"

namespace limoe {
namespace {

constexpr double kBearableWait = 0.1;  // share of a step

std::string decimals(double value, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string advice(const NamedStage& slowest, const SlowStageWatch::Look& now) {
  if (now.workers < now.processors)
    return concatenate("try --workers ", std::min(now.processors, std::max(2 * now.workers, 1)));
  if (std::strcmp(slowest.name, "read") == 0)
    return "a faster disk, or fewer and larger shards, would help; more --workers hide its latency";
  if (std::strcmp(slowest.name, "tokenize") == 0)
    return "every processor has a worker already: fewer --threads leave them more time";
  return "every processor has a worker already: pictures stored smaller would help, or fewer --threads";
}

}  // namespace

std::array<NamedStage, 5> named_stages(const StageTimes& times) {
  return {{{"read", times.read},
           {"decode", times.decode},
           {"resize", times.resize},
           {"augment", times.augment},
           {"tokenize", times.tokenize}}};
}

std::optional<std::string> SlowStageWatch::look(const Look& now) {
  const std::optional<StageTimes> before = last_;
  last_ = now.times;
  const int64_t samples = now.times.samples - (before ? before->samples : 0);
  if (told_ || !before || samples <= 0 || !(now.wait_seconds > kBearableWait * now.seconds)) return {};
  told_ = true;
  const auto stages = named_stages(now.times - *before);
  double sum = 0;
  for (const NamedStage& stage : stages) sum += stage.seconds;
  const NamedStage slowest = *std::max_element(
      stages.begin(), stages.end(), [](const auto& a, const auto& b) { return a.seconds < b.seconds; });
  const double share = sum > 0 ? slowest.seconds / sum : 0;
  return concatenate(
      decimals(100 * now.wait_seconds / now.seconds, 0), " % of a step is waiting for data; of the ",
      decimals(1000 * sum / static_cast<double>(samples), 2), " ms that loading a pair takes, ", slowest.name,
      " has the most, ", decimals(100 * share, 0), " %; ", advice(slowest, now));
}

}  // namespace limoe
