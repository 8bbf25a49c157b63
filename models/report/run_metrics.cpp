#include "models/report/run_metrics.h"

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "tensor/error.h"

namespace limoe {
namespace {

using nlohmann::ordered_json;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr size_t kMostKeys = 10000;    // a file with more is no file of metrics
constexpr size_t kMostInAList = 4096;  // experts

double number_of(const ordered_json& json) {
  return json.is_number() ? json.get<double>() : kNaN;
}

// One kind of line, by its keys.
bool has_keys_of(const ordered_json& json, const char* prefix) {
  for (const auto& [key, value] : json.items())
    if (key.starts_with(prefix)) return true;
  return false;
}

struct Lines {
  std::map<int64_t, ordered_json> steps;
  ordered_json evaluation;
  int64_t count = 0, unreadable = 0, first_unreadable = 0, last_unreadable = 0;
};

Lines read_lines(const std::string& file) {
  std::ifstream stream(file);
  if (!stream)
    throw FileError(file, ": cannot be opened; expected the metrics of a run, as `limoe train` writes them");
  Lines lines;
  for (std::string line; std::getline(stream, line);) {
    ++lines.count;
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    ordered_json json = ordered_json::parse(line, nullptr, false);
    const bool is_ours = json.is_object() && json.contains("step") && json["step"].is_number();
    if (!is_ours || json.size() > kMostKeys) {
      if (lines.unreadable++ == 0) lines.first_unreadable = lines.count;
      lines.last_unreadable = lines.count;
      continue;
    }
    const int64_t step = json["step"].get<int64_t>();
    if (has_keys_of(json, "train/"))
      lines.steps[step] = std::move(json);
    else if (has_keys_of(json, "eval/"))
      lines.evaluation = std::move(json);
  }
  return lines;
}

void add_step(RunMetrics& metrics, int64_t step, const ordered_json& json) {
  const size_t at = metrics.steps.size();
  metrics.steps.push_back(double(step));
  for (const auto& [key, value] : json.items()) {
    if (value.is_array()) {
      std::vector<std::vector<double>>& column = metrics.lists[key];
      column.resize(at + 1);
      for (const ordered_json& one : value)
        if (column[at].size() < kMostInAList) column[at].push_back(number_of(one));
    } else {
      std::vector<double>& column = metrics.values[key];
      column.resize(at, kNaN);
      column.push_back(number_of(value));
    }
  }
}

std::string unreadable_note(const Lines& lines) {
  if (lines.unreadable == 1 && lines.last_unreadable == lines.count)
    return "The last line of metrics.jsonl is cut short and left out.";
  return concatenate(lines.unreadable,
                     " lines of metrics.jsonl cannot be read and are left out; the first is line ",
                     lines.first_unreadable, ".");
}

}  // namespace

const std::vector<double>& RunMetrics::of(const std::string& key) const {
  const auto found = values.find(key);
  return found == values.end() ? nothing_ : found->second;
}

double RunMetrics::last(const std::string& key) const {
  const std::vector<double>& column = of(key);
  for (size_t i = column.size(); i-- > 0;)
    if (std::isfinite(column[i])) return column[i];
  return kNaN;
}

RunMetrics read_run_metrics(const std::string& file) {
  const Lines lines = read_lines(file);
  if (lines.steps.empty())
    throw FileError(file, ": holds no logged step in ", lines.count,
                    " lines; expected a JSON object a line, with \"step\" and \"train/...\" keys");
  RunMetrics metrics;
  for (const auto& [step, json] : lines.steps) add_step(metrics, step, json);
  for (auto& [key, column] : metrics.values) column.resize(metrics.steps.size(), kNaN);
  for (auto& [key, column] : metrics.lists) column.resize(metrics.steps.size());
  metrics.nothing_.assign(metrics.steps.size(), kNaN);
  if (lines.evaluation.is_object())
    for (const auto& [key, value] : lines.evaluation.items())
      if (key.starts_with("eval/") && value.is_number())
        metrics.evaluation.emplace_back(key.substr(5), value.get<double>());
  if (lines.unreadable > 0) metrics.notes.push_back(unreadable_note(lines));
  return metrics;
}

}  // namespace limoe
