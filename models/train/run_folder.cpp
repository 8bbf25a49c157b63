#include "models/train/run_folder.h"

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tensor/error.h"

namespace limoe {
namespace {

namespace fs = std::filesystem;

template <class... Arguments>
std::string formatted(const char* format, Arguments... arguments) {
  char text[256];
  std::snprintf(text, sizeof text, format, arguments...);
  return text;
}

std::string clock_text(double seconds) {
  const int64_t whole = std::llround(std::max(0.0, seconds));
  if (whole >= 3600) return formatted("%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
  return formatted("%ld:%02ld", whole / 60, whole % 60);
}

// Drop rate over all MoE blocks of a modality, or a negative number when there is none.
double drop_rate(const StepReport& report, Modality modality) {
  double dropped = 0, tokens = 0;
  for (const RouterStatistics& router : report.routers)
    if (router.modality == modality)
      dropped += router.drop_rate * double(router.tokens), tokens += double(router.tokens);
  return tokens > 0 ? dropped / tokens : -1;
}

std::ofstream opened(const fs::path& path, std::ios::openmode mode) {
  std::ofstream file(path, mode);
  if (!file) throw FileError(path.string(), ": cannot be opened for writing");
  return file;
}

}  // namespace

std::string metrics_json(const StepReport& r) {
  nlohmann::ordered_json json;
  json["step"] = r.step;
  json["samples_seen"] = r.samples_seen;
  json["epoch"] = r.epoch;
  json["train/loss"] = r.losses.total();
  json["train/contrastive_loss"] = r.losses.contrastive;
  json["train/auxiliary_loss"] = r.losses.auxiliary;
  for (const AuxiliaryLoss& loss : r.losses.auxiliary_losses)
    json["train/" + loss.name + "/block" + std::to_string(loss.block)] = loss.value.data<double>()[0];
  json["train/lr"] = r.lr;
  json["train/logit_scale"] = r.logit_scale;
  json["train/grad_norm"] = r.grad_norm;
  json["train/samples_per_second"] = r.samples_per_second;
  json["train/batch_time"] = r.batch_time;
  json["train/data_time"] = r.data_time;
  json["memory/peak_bytes"] = r.peak_bytes;
  for (const RouterStatistics& router : r.routers) {
    const std::string key =
        "router/block" + std::to_string(router.block) + "/" + name_of(router.modality) + "/";
    json[key + "load"] = router.load;
    json[key + "drop_rate"] = router.drop_rate;
    json[key + "mean_gate"] = router.mean_gate;
    json[key + "local_entropy"] = router.local_entropy;
    json[key + "global_entropy"] = router.global_entropy;
    json[key + "tokens"] = router.tokens;
  }
  return json.dump();
}

std::string step_line(const StepReport& r) {
  std::string line =
      formatted("step %*ld/%ld  loss %.3f (ln B %.2f)", int(std::to_string(r.total_steps).size()), r.step,
                r.total_steps, r.losses.contrastive, r.log_batch);
  if (!r.losses.auxiliary_losses.empty()) line += formatted("  aux %.3f", r.losses.auxiliary);
  line += formatted("  %.0f pairs/s", r.samples_per_second);
  line += formatted("  wait %.0f%%", r.batch_time > 0 ? 100 * r.data_time / r.batch_time : 0.0);
  const double images = drop_rate(r, Modality::image), texts = drop_rate(r, Modality::text);
  if (images >= 0 || texts >= 0)
    line +=
        formatted("  drop image %.1f%% text %.1f%%", 100 * std::max(0.0, images), 100 * std::max(0.0, texts));
  return line + formatted("  lr %.1e  scale %.1f  eta ", r.lr, r.logit_scale) + clock_text(r.seconds_left);
}

RunFolder::RunFolder(const std::string& path, bool resume) : path_(path) {
  const fs::path folder(path);
  if (!resume && fs::exists(folder / "metrics.jsonl"))
    throw FileError(path, ": holds a run already; expected a new folder, or --resume to go on with it");
  std::error_code error;
  fs::create_directories(folder / "checkpoints", error);
  if (error) throw FileError(path, ": the run folder cannot be made: ", error.message());
  metrics_ = opened(folder / "metrics.jsonl", std::ios::app);
  log_ = opened(folder / "out.log", std::ios::app);
}

void RunFolder::write_config(const std::string& toml) {
  std::ofstream file = opened(fs::path(path_) / "config.toml", std::ios::trunc);
  file << toml;
  file.flush();
  if (!file) throw FileError(path_, "/config.toml: cannot be written");
}

void RunFolder::drop_metrics_after(int64_t step) {
  const fs::path file = fs::path(path_) / "metrics.jsonl", kept = fs::path(path_) / "metrics.jsonl.tmp";
  metrics_.close();
  {
    std::ifstream in(file);
    std::ofstream out = opened(kept, std::ios::trunc);
    for (std::string line; std::getline(in, line);) {
      const nlohmann::json json = nlohmann::json::parse(line, nullptr, false);
      // A line cut short by a crash is no JSON and is dropped too.
      if (json.is_object() && json.value("step", int64_t{0}) <= step) out << line << '\n';
    }
  }
  fs::rename(kept, file);
  metrics_ = opened(file, std::ios::app);
}

void RunFolder::log(const std::string& line) {
  log_ << line << std::endl;
}

void RunFolder::table(const ReportTable& table) {
  log(table.heading);
  for (const auto& [what, value] : table.rows) log("  " + what + ": " + value);
}

void RunFolder::step(const StepReport& report) {
  metrics(metrics_json(report));
  log(step_line(report));
}

void RunFolder::warning(const std::string& text) {
  log("warning: " + text);
}
void RunFolder::note(const std::string& text) {
  log(text);
}

void RunFolder::metrics(const std::string& json_line) {
  metrics_ << json_line << std::endl;
  if (!metrics_) throw FileError(path_, "/metrics.jsonl: cannot be written");
}

}  // namespace limoe
