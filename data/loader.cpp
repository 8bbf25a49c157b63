#include "data/loader.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "tensor/error.h"

namespace limoe {

Loader::Loader(std::shared_ptr<const Dataset> dataset, std::shared_ptr<const Tokenizer> tokenizer,
               const LoaderOptions& options)
    : builder_(std::move(dataset), std::move(tokenizer), options),
      workers_(options.workers),
      prefetch_(options.prefetch),
      end_(options.epochs == 0 ? std::numeric_limits<int64_t>::max()
                               : options.epochs * builder_.steps_per_epoch()) {
  // As many batches as are ever alive at once, given back at once: the allocator has them ready from the
  // first step.
  std::vector<Batch> alive;
  const int64_t count = std::min(prefetch_ + 2, end_);
  for (int64_t i = 0; i < count; ++i) alive.push_back(builder_.allocate(options.batch_size));
  alive.clear();
  start();
}

Loader::~Loader() {
  stop();
}

Batch Loader::next() {
  if (done())
    throw ValueError("loader: no batch is left after ", delivered_, " batches; expected done() to be false");
  const auto begin = std::chrono::steady_clock::now();
  Made made = workers_ == 0 ? make(delivered_) : take_made();
  last_wait_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (made.error) std::rethrow_exception(made.error);
  if (workers_ == 0) ++delivered_;
  times_ += made.times;
  return std::move(made.batch);
}

LoaderPosition Loader::position() const {
  return position_of(delivered_);
}

void Loader::restore(LoaderPosition position) {
  const int64_t steps = steps_per_epoch();
  if (position.epoch < 0 || position.step < 0 || position.step >= steps)
    throw ValueError("loader: position is epoch ", position.epoch, " step ", position.step,
                     "; expected an epoch from 0 and a step in 0..", steps - 1);
  // Epochs first: a position may come from a damaged file, and the product must fit.
  const bool past_the_end = position.epoch > end_ / steps || position.epoch * steps + position.step > end_;
  if (past_the_end)
    throw ValueError("loader: position is epoch ", position.epoch, "; expected at most ", end_ / steps,
                     " (epochs)");
  const int64_t number = position.epoch * steps + position.step;
  stop();
  made_.clear();
  delivered_ = claimed_ = number;
  start();
}

StageTimes Loader::times() const {
  return times_;
}

LoaderPosition Loader::position_of(int64_t number) const {
  return {number / steps_per_epoch(), number % steps_per_epoch()};
}

Loader::Made Loader::make(int64_t number) {
  Made made;
  try {
    made.batch = builder_.build(position_of(number), made.times);
  } catch (...) {
    made.error = std::current_exception();
  }
  return made;
}

Loader::Made Loader::take_made() {
  std::unique_lock lock(mutex_);
  made_one_.wait(lock, [&] { return made_.contains(delivered_); });
  const auto found = made_.find(delivered_);
  if (found->second.error)
    return {{}, {}, found->second.error};  // stays: a further call must not wait for ever
  Made made = std::move(found->second);
  made_.erase(found);
  ++delivered_;
  may_make_.notify_one();
  return made;
}

void Loader::start() {
  stopping_ = false;
  for (int i = 0; i < workers_; ++i) threads_.emplace_back([this] { work(); });
}

void Loader::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  may_make_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Loader::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    may_make_.wait(lock, [&] { return stopping_ || (claimed_ < end_ && claimed_ - delivered_ < prefetch_); });
    if (stopping_) return;
    const int64_t number = claimed_++;
    lock.unlock();
    Made made = make(number);
    lock.lock();
    made_.emplace(number, std::move(made));
    made_one_.notify_one();
  }
}

}  // namespace limoe
