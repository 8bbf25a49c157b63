// A run's folder, as users and tools read it:
//
//   config.toml      every key as resolved; starts the same run again
//   metrics.jsonl    one object a logged step
//   out.log          what the console said, in plain lines
//   events.out.tfevents.*  the numbers of metrics.jsonl for TensorBoard (event_file.h)
//   checkpoints/     step-00001234/ (checkpoint.h)
//   .lock            held by the process that trains into it (run_lock.h)
//
// A disk that is full or breaks while training costs lines of metrics.jsonl, out.log and
// the event file, never the training;
// take_problems() says which. What was written are whole lines.
//
// metrics.jsonl keys: step, samples_seen, epoch, train/loss, train/contrastive_loss, train/auxiliary_loss
// (weighted), train/<loss>/block<i> for each auxiliary loss (unweighted), train/lr, train/logit_scale,
// train/grad_norm, train/samples_per_second, train/batch_time, train/data_time, memory/peak_bytes, and for
// every MoE block and modality router/block<i>/<image|text>/{load (an array), drop_rate, mean_gate,
// local_entropy, global_entropy, tokens}.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/train/event_file.h"
#include "models/train/line_file.h"
#include "models/train/run_lock.h"
#include "models/train/step_report.h"

namespace limoe {

class RunFolder final : public TrainObserver {
 public:
  // Makes the folder, or goes on with the run in it. Throws FileError when `resume` is false and it holds a
  // run that has come to its first metrics or checkpoint, when `resume` is true and it holds no run, and when
  // another process trains into it.
  RunFolder(const std::string& path, bool resume);

  // Each throws FileError, with the file as it was.
  void write_config(const std::string& toml);
  void drop_metrics_after(int64_t step);  // when resuming: those steps are done again. A torn line goes too
  void metrics(const std::string& json_line);  // a line of any other kind, such as an evaluation

  // What could not be written since the last call, one sentence a file, and what can be again.
  std::vector<std::string> take_problems();

  const std::string& path() const { return path_; }

  void table(const ReportTable& table) override;
  void step(const StepReport& report) override;
  void warning(const std::string& text) override;
  void note(const std::string& text) override;

 private:
  // A file whose lines may be lost, and how many were since it failed.
  struct Lines {
    std::unique_ptr<LineFile> file;
    int64_t lost = 0;
  };
  void append(Lines& lines, const std::string& line);
  void append_events(int64_t step, const std::string& json_line);
  void log(const std::string& line);
  std::string in_folder(const char* name) const { return path_ + "/" + name; }

  std::string path_;
  std::unique_ptr<RunLock> lock_;
  Lines metrics_, log_;
  bool is_resumed_;
  std::unique_ptr<EventFile> events_;  // from the first step on
  bool events_failed_ = false;
  std::vector<std::string> problems_;
};

std::string metrics_json(const StepReport& report);  // one line, without its end
std::string step_line(const StepReport& report);     // the same for people

}  // namespace limoe
