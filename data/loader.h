// Batches of a data set, epoch after epoch, made ahead by worker threads and delivered in order.
//
// What is delivered depends on data set, tokenizer and options alone: the same bits for any number of
// workers, and after restore() at any position, because a batch is a pure function of its position
// (data/batch_builder.h). The position is the whole state to put into a checkpoint.
//
//   Loader loader(dataset, tokenizer, options);
//   loader.restore(checkpoint.position);
//   while (!loader.done()) train_on(loader.next());
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "data/batch_builder.h"

namespace limoe {

class Loader {
 public:
  Loader(std::shared_ptr<const Dataset> dataset, std::shared_ptr<const Tokenizer> tokenizer,
         const LoaderOptions& options);
  ~Loader();  // waits for the batches being made
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  // The batch at position(). An error met while it was made is thrown here, and again at every further call.
  Batch next();
  bool done() const { return delivered_ == end_; }  // options.epochs are over

  LoaderPosition position() const;        // of the batch that next() gives
  void restore(LoaderPosition position);  // ValueError when there is no such batch
  int64_t steps_per_epoch() const { return builder_.steps_per_epoch(); }

  StageTimes times() const;                           // of the batches delivered so far
  double wait_seconds() const { return last_wait_; }  // how long the last next() kept its caller

 private:
  struct Made {
    Batch batch;
    StageTimes times;
    std::exception_ptr error;
  };

  Made make(int64_t number);
  Made take_made();
  void start();
  void stop();
  void work();
  LoaderPosition position_of(int64_t number) const;

  BatchBuilder builder_;
  const int workers_;
  const int64_t prefetch_;
  int64_t end_;            // batches are numbered through all epochs; this one is never made
  int64_t delivered_ = 0;  // number of the batch that next() gives; workers read it under the mutex
  double last_wait_ = 0;
  StageTimes times_;

  std::mutex mutex_;
  std::condition_variable made_one_, may_make_;
  std::map<int64_t, Made> made_;  // by number
  int64_t claimed_ = 0;           // the next batch a worker takes on
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace limoe
