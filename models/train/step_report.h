// What the trainer says while it works, and to whom. The trainer itself prints nothing: the run folder and
// the console are observers.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "models/train/accumulate.h"
#include "models/train/router_tally.h"

namespace limoe {

struct StepReport {
  int64_t step = 0;  // steps done
  int64_t total_steps = 0;
  int64_t samples_seen = 0;
  double epoch = 0;
  StepLosses losses;     // means over the steps since the last report
  double log_batch = 0;  // ln(batch size): the loss of a model that knows nothing
  double lr = 0;
  double logit_scale = 0;
  double grad_norm = 0;  // before clipping
  double samples_per_second = 0;
  double batch_time = 0;  // seconds a step
  double data_time = 0;   // seconds of it spent waiting for data
  double seconds_left = 0;
  std::vector<RouterStatistics> routers;
  size_t peak_bytes = 0;  // live tensors
};

// A heading and rows of (what, value): the startup table, the figures at the end.
struct ReportTable {
  std::string heading;
  std::vector<std::pair<std::string, std::string>> rows;
};

class TrainObserver {
 public:
  virtual ~TrainObserver() = default;
  virtual void table(const ReportTable&) {}
  virtual void step(const StepReport&) {}
  virtual void progress(const std::string& /*what*/, int64_t /*done*/, int64_t /*total*/) {}
  virtual void warning(const std::string&) {}
  virtual void note(const std::string&) {}
};

// Sends everything to several observers.
class TrainObservers final : public TrainObserver {
 public:
  explicit TrainObservers(std::vector<TrainObserver*> all) : all_(std::move(all)) {}
  void table(const ReportTable& t) override {
    for (TrainObserver* one : all_) one->table(t);
  }
  void step(const StepReport& r) override {
    for (TrainObserver* one : all_) one->step(r);
  }
  void progress(const std::string& what, int64_t done, int64_t total) override {
    for (TrainObserver* one : all_) one->progress(what, done, total);
  }
  void warning(const std::string& text) override {
    for (TrainObserver* one : all_) one->warning(text);
  }
  void note(const std::string& text) override {
    for (TrainObserver* one : all_) one->note(text);
  }

 private:
  std::vector<TrainObserver*> all_;
};

}  // namespace limoe
