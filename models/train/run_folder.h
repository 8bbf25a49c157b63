// A run's folder, as users and tools read it:
//
//   config.toml      every key as resolved; starts the same run again
//   metrics.jsonl    one object a logged step
//   out.log          what the console said, in plain lines
//   checkpoints/     step-00001234/ (checkpoint.h)
//
// metrics.jsonl keys: step, samples_seen, epoch, train/loss, train/contrastive_loss, train/auxiliary_loss
// (weighted), train/<loss>/block<i> for each auxiliary loss (unweighted), train/lr, train/logit_scale,
// train/grad_norm, train/samples_per_second, train/batch_time, train/data_time, memory/peak_bytes, and for
// every MoE block and modality router/block<i>/<image|text>/{load (an array), drop_rate, mean_gate,
// local_entropy, global_entropy, tokens}.
#pragma once

#include <fstream>
#include <string>

#include "models/train/step_report.h"

namespace limoe {

class RunFolder final : public TrainObserver {
 public:
  // Makes the folder. Throws FileError when it holds a run already and `resume` is false.
  RunFolder(const std::string& path, bool resume);

  void write_config(const std::string& toml);
  void drop_metrics_after(int64_t step);  // when resuming: those steps are done again
  const std::string& path() const { return path_; }

  void table(const ReportTable& table) override;
  void step(const StepReport& report) override;
  void warning(const std::string& text) override;
  void note(const std::string& text) override;
  void metrics(const std::string& json_line);  // a line of any other kind, such as an evaluation

 private:
  void log(const std::string& line);

  std::string path_;
  std::ofstream metrics_, log_;
};

std::string metrics_json(const StepReport& report);  // one line, without its end
std::string step_line(const StepReport& report);     // the same for people

}  // namespace limoe
