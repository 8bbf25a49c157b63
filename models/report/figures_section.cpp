#include <algorithm>
#include <cmath>
#include <map>

#include "models/report/html.h"
#include "models/report/sections.h"
#include "models/train/readable.h"

namespace limoe {
namespace {

using Figures = std::map<std::string, double>;  // of one set, by metric

struct EvaluatedSet {
  std::string name;
  Figures figures;
};

// "SET/METRIC" keys by set, in the order of the file. What the routers did is not of a set.
std::vector<EvaluatedSet> sets_of(const RunMetrics& metrics) {
  std::vector<EvaluatedSet> sets;
  for (const auto& [key, value] : metrics.evaluation) {
    const size_t slash = key.rfind('/');
    if (slash == std::string::npos || key.starts_with("router/")) continue;
    const std::string name = key.substr(0, slash);
    auto found =
        std::find_if(sets.begin(), sets.end(), [&](const EvaluatedSet& s) { return s.name == name; });
    if (found == sets.end()) found = sets.insert(found, {name, {}});
    found->figures[key.substr(slash + 1)] = value;
  }
  return sets;
}

std::string figure(const Figures& figures, const std::string& metric) {
  const auto found = figures.find(metric);
  return found == figures.end() ? "–" : with_decimals(found->second, 3);
}

std::string retrieval_table(const std::vector<EvaluatedSet>& sets) {
  std::vector<std::vector<std::string>> rows;
  for (const EvaluatedSet& set : sets) {
    if (!set.figures.contains("image_retrieval_recall@1")) continue;
    std::vector<std::string> row{escaped(set.name)};
    const auto pairs = set.figures.find("pairs");
    row.push_back(pairs == set.figures.end() ? "–" : grouped_digits(std::llround(pairs->second)));
    for (const char* direction : {"image_retrieval_recall@", "text_retrieval_recall@"})
      for (const char* k : {"1", "5", "10"}) row.push_back(figure(set.figures, std::string(direction) + k));
    rows.push_back(row);
  }
  if (rows.empty()) return "";
  return "<h3>Retrieval</h3><p class=\"note\">Share of queries whose right answer is among the first 1, 5, "
         "10.</p>" +
         html_table({"set", "pairs", "text → image R@1", "R@5", "R@10", "image → text R@1", "R@5", "R@10"},
                    rows);
}

std::string zeroshot_table(const std::vector<EvaluatedSet>& sets) {
  std::vector<std::vector<std::string>> rows;
  for (const EvaluatedSet& set : sets)
    if (set.figures.contains("acc1"))
      rows.push_back(
          {escaped(set.name), figure(set.figures, "acc1"), figure(set.figures, "mean_per_class_recall")});
  if (rows.empty()) return "";
  return "<h3>Zero-shot classification</h3><p class=\"note\">By the names of the classes alone.</p>" +
         html_table({"set", "accuracy", "mean recall of a class"}, rows);
}

}  // namespace

std::string figures_section(const ReportSource& source) {
  const std::vector<EvaluatedSet> sets = sets_of(source.metrics);
  std::string body = retrieval_table(sets) + zeroshot_table(sets);
  if (body.empty())
    body = html_missing("This run holds no final figures: they are made at its end. `limoe eval " +
                        source.run + " --task retrieval --data DIR` makes them.");
  return html_section("figures", "Final figures", "", "<div class=\"tables\">" + body + "</div>");
}

}  // namespace limoe
