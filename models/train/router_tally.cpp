#include "models/train/router_tally.h"

#include <algorithm>
#include <cmath>

#include "tensor/factory.h"

namespace limoe {
namespace {

double entropy_term(double p) {
  return p > 0 ? -p * std::log(p) : 0;
}

}  // namespace

double RouterStatistics::largest_load() const {
  return load.empty() ? 0 : *std::max_element(load.begin(), load.end());
}

void RouterTally::add(const LimoeOutputs& outputs) {
  for (const RouterReport& report : outputs.routers) {
    const std::vector<double> probs = to_vector<double>(report.probs);
    const std::vector<int32_t> experts = to_vector<int32_t>(report.routing.expert_of);
    const std::vector<int32_t> rows = to_vector<int32_t>(report.routing.row_of);
    const size_t expert_count = size_t(report.probs.dim(1)),
                 choices = size_t(report.routing.expert_of.dim(1));
    for (const Modality modality : kModalities) {
      const std::vector<int32_t> group_of = to_vector<int32_t>(outputs.layout.group_of_modality(modality));
      Sums& sums = sums_[{report.block, modality}];
      sums.chosen_by_expert.resize(expert_count);
      sums.probability_by_expert.resize(expert_count);
      for (size_t token = 0; token < group_of.size(); ++token) {
        if (group_of[token] < 0) continue;
        ++sums.tokens;
        double top = 0;
        for (size_t e = 0; e < expert_count; ++e) {
          const double p = probs[token * expert_count + e];
          top = std::max(top, p);
          sums.entropy += entropy_term(p);
          sums.probability_by_expert[e] += p;
        }
        sums.gate += top;
        for (size_t k = token * choices; k < (token + 1) * choices; ++k) {
          ++sums.chosen;
          ++sums.chosen_by_expert[size_t(experts[k])];
          if (rows[k] != kDropped) ++sums.kept;
        }
      }
    }
  }
}

std::vector<RouterStatistics> RouterTally::statistics() const {
  std::vector<RouterStatistics> all;
  for (const auto& [key, sums] : sums_) {
    if (sums.tokens == 0) continue;
    RouterStatistics statistics{
        .block = key.first, .modality = key.second, .tokens = sums.tokens, .load = {}};
    for (const double chosen : sums.chosen_by_expert) statistics.load.push_back(chosen / sums.chosen);
    statistics.drop_rate = 1 - sums.kept / sums.chosen;
    statistics.mean_gate = sums.gate / double(sums.tokens);
    statistics.local_entropy = sums.entropy / double(sums.tokens);
    for (const double sum : sums.probability_by_expert)
      statistics.global_entropy += entropy_term(sum / double(sums.tokens));
    all.push_back(std::move(statistics));
  }
  return all;
}

}  // namespace limoe
