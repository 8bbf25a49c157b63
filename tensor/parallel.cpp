#include "tensor/parallel.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "tensor/error.h"

namespace limoe {
namespace {

thread_local bool inside_body = false;

struct Job {
  Job(int64_t count, int64_t grain, detail::RangeBody body, void* context)
      : count(count), grain(grain), body(body), context(context) {}

  const int64_t count;
  const int64_t grain;
  const detail::RangeBody body;
  void* const context;
  std::atomic<int64_t> next_run{0};
  std::mutex failure_mutex;
  std::exception_ptr failure;

  void work() {
    inside_body = true;
    const int64_t runs = run_count(count, grain);
    for (int64_t run = next_run++; run < runs; run = next_run++) {
      try {
        body(context, run * grain, std::min(count, (run + 1) * grain));
      } catch (...) {
        const std::lock_guard lock(failure_mutex);
        if (!failure) failure = std::current_exception();
      }
    }
    inside_body = false;
  }
};

// Workers sleep on a condition variable, after a short spin: the ops of a small model come microseconds
// apart, and waking a sleeping thread costs more than such an op.
class Pool {
 public:
  explicit Pool(int workers) {
    for (int i = 0; i < workers; ++i) threads_.emplace_back([this] { serve(); });
  }
  ~Pool() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      ++ticket_;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  // A worker that wakes too late for a job finds none and sleeps again: the caller never waits for a thread
  // that has not begun.
  void run(Job& job) {
    {
      const std::lock_guard lock(mutex_);
      job_ = &job;
      ++ticket_;
    }
    wake_.notify_all();
    job.work();
    std::unique_lock lock(mutex_);
    job_ = nullptr;
    done_.wait(lock, [this] { return active_ == 0; });
  }

 private:
  static constexpr int kSpins = 4000;

  static void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }

  void serve() {
    uint64_t seen = 0;
    while (true) {
      for (int spin = 0; spin < kSpins && ticket_.load(std::memory_order_acquire) == seen; ++spin) pause();
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return ticket_.load(std::memory_order_acquire) != seen; });
      seen = ticket_.load(std::memory_order_acquire);
      if (stopping_) return;
      if (!job_) continue;
      Job& job = *job_;
      ++active_;
      lock.unlock();
      job.work();
      lock.lock();
      if (--active_ == 0) done_.notify_one();
    }
  }

  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable wake_, done_;
  std::atomic<uint64_t> ticket_{0};  // counts jobs; read without the lock only to spin on
  int active_ = 0;                   // workers inside job_
  Job* job_ = nullptr;
  bool stopping_ = false;
};

int threads_of_the_machine() {
  const int found = int(std::max(1u, std::thread::hardware_concurrency()));
  const char* wish = std::getenv("LIMOE_THREADS");
  if (!wish) return found;
  int threads = 0;
  const auto [end, error] = std::from_chars(wish, wish + std::strlen(wish), threads);
  if (error != std::errc() || *end != '\0' || threads < 1)
    throw ValueError("LIMOE_THREADS: is \"", wish, "\"; expected a whole number of 1 or more");
  return threads;
}

struct PoolHolder {
  std::mutex mutex;  // one parallel_for at a time; a second caller works alone
  int threads = threads_of_the_machine();
  std::unique_ptr<Pool> pool;
};

PoolHolder& holder() {
  static PoolHolder instance;
  return instance;
}

}  // namespace

int thread_count() {
  return holder().threads;
}

void set_thread_count(int n) {
  if (n < 1) throw ValueError("threads: is ", n, "; expected 1 or more");
  PoolHolder& shared = holder();
  const std::lock_guard lock(shared.mutex);
  shared.threads = n;
  shared.pool.reset();
}

namespace detail {

void run_parallel(int64_t count, int64_t grain, RangeBody body, void* context) {
  if (count <= 0) return;
  Job job(count, std::max<int64_t>(grain, 1), body, context);
  const bool alone = inside_body || count <= job.grain || holder().threads == 1;
  std::unique_lock lock(holder().mutex, std::defer_lock);
  if (alone || !lock.try_lock()) {
    const bool nested = inside_body;
    job.work();
    inside_body = nested;
  } else {
    PoolHolder& shared = holder();
    if (!shared.pool) shared.pool = std::make_unique<Pool>(shared.threads - 1);
    shared.pool->run(job);
  }
  if (job.failure) std::rethrow_exception(job.failure);
}

}  // namespace detail
}  // namespace limoe
