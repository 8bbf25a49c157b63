#include "models/train/run_folder.h"

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "models/train/checkpoint.h"
#include "tensor/atomic_file.h"
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

constexpr const char* kMetricsFile = "metrics.jsonl";
constexpr const char* kLogFile = "out.log";
constexpr const char* kConfigFile = "config.toml";

// What a process that died while replacing a file has left of it (atomic_file.h).
void remove_left_overs(const fs::path& folder) {
  std::error_code ignored;  // they are a waste of space, no reason not to train
  for (fs::directory_iterator next(folder, ignored), end; !ignored && next != end; next.increment(ignored))
    for (const char* file : {kMetricsFile, kConfigFile})
      if (next->path().filename().string().starts_with(std::string(file) + ".tmp-"))
        fs::remove(next->path(), ignored);
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

RunFolder::RunFolder(const std::string& path, bool resume) : path_(path), is_resumed_(resume) {
  std::error_code unknown;
  if (resume && !fs::exists(in_folder(kMetricsFile), unknown) && !has_checkpoints(path_))
    throw FileError(path, ": holds no run to resume; expected a run folder, or no --resume to begin one");
  make_folders(path);
  lock_ = std::make_unique<RunLock>(path);
  // A run that ended before its first line of metrics, for a mistake in its data say, has nothing to lose.
  const auto metrics_bytes = fs::file_size(in_folder(kMetricsFile), unknown);
  if (!resume && ((!unknown && metrics_bytes > 0) || has_checkpoints(path_)))
    throw FileError(path, ": holds a run already; expected a new folder, or --resume to go on with it");
  make_folders(in_folder("checkpoints"));
  remove_left_overs(path);
  metrics_.file = std::make_unique<LineFile>(in_folder(kMetricsFile));
  log_.file = std::make_unique<LineFile>(in_folder(kLogFile));
  flush_to_disk(path);
  if (!lock_->warning().empty()) problems_.push_back(lock_->warning());
}

void RunFolder::write_config(const std::string& toml) {
  write_text_file(in_folder(kConfigFile), toml);
}

void RunFolder::drop_metrics_after(int64_t step) {
  const std::string path = in_folder(kMetricsFile);
  std::ifstream in(path);
  AtomicFile kept(path);
  for (std::string line; std::getline(in, line);) {
    const nlohmann::json json = nlohmann::json::parse(line, nullptr, false);
    if (!json.is_object()) continue;  // cut short by a crash
    const auto at = json.find("step");
    if (at != json.end() && at->is_number() && at->get<double>() > double(step)) continue;
    line += '\n';
    kept.write(line.data(), line.size());
  }
  if (in.bad()) throw FileError(path, ": cannot be read");
  kept.commit();
  metrics_.file = std::make_unique<LineFile>(path);  // the old one is no longer what the path means
}

void RunFolder::append(Lines& lines, const std::string& line) {
  try {
    lines.file->append(line);
    if (lines.lost > 0)
      problems_.push_back(
          concatenate(lines.file->path(), ": can be written again; ", lines.lost, " lines are missing"));
    lines.lost = 0;
  } catch (const FileError& error) {
    if (lines.lost++ == 0)
      problems_.push_back(
          concatenate(error.what(),
                      "; training goes on without it; free space on the disk, or see whether it is failing"));
  }
}

// One failure is the last attempt: a reader stops at the first gap anyway, and metrics.jsonl has it all.
void RunFolder::append_events(int64_t step, const std::string& json_line) {
  if (events_failed_) return;
  try {
    if (events_ == nullptr) events_ = std::make_unique<EventFile>(path_, is_resumed_ ? step : 0);
    events_->append(step, scalars_of(json_line));
  } catch (const FileError& error) {
    events_failed_ = true;
    problems_.push_back(concatenate(error.what(), "; TensorBoard will not see further steps of this run"));
  }
}

std::vector<std::string> RunFolder::take_problems() {
  return std::exchange(problems_, {});
}

void RunFolder::log(const std::string& line) {
  append(log_, line);
}

void RunFolder::table(const ReportTable& table) {
  log(table.heading);
  for (const auto& [what, value] : table.rows) log("  " + what + ": " + value);
}

void RunFolder::step(const StepReport& report) {
  const std::string line = metrics_json(report);
  append(metrics_, line);
  append_events(report.step, line);
  log(step_line(report));
}

void RunFolder::warning(const std::string& text) {
  log("warning: " + text);
}
void RunFolder::note(const std::string& text) {
  log(text);
}

void RunFolder::metrics(const std::string& json_line) {
  metrics_.file->append(json_line);
  append_events(nlohmann::json::parse(json_line).value("step", int64_t{0}), json_line);
}

}  // namespace limoe
