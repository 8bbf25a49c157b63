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
#include <span>
#include <thread>
#include <vector>

#include "tensor/error.h"

namespace limoe {
namespace {

thread_local bool inside_body = false;

constexpr size_t kCacheLine = 64;

// The runs that one thread begins with.
struct alignas(kCacheLine) Share {
  std::atomic<int64_t> next{0};
  int64_t end = 0;
};

struct Job {
  Job(int64_t count, int64_t grain, detail::RangeBody body, void* context)
      : count(count), grain(grain), body(body), context(context) {}

  const int64_t count;
  const int64_t grain;
  const detail::RangeBody body;
  void* const context;
  std::mutex failure_mutex;
  std::exception_ptr failure;

  int64_t runs() const { return run_count(count, grain); }

  // All of the thread's own share, then what is left of the others'.
  void work(std::span<Share> shares, size_t thread) {
    inside_body = true;
    for (size_t i = 0; i < shares.size(); ++i) {
      Share& share = shares[(thread + i) % shares.size()];
      for (int64_t run = share.next++; run < share.end; run = share.next++) run_one(run);
    }
    inside_body = false;
  }

  void work_alone() {
    Share all;
    all.end = runs();
    work({&all, 1}, 0);
  }

 private:
  void run_one(int64_t run) {
    try {
      body(context, run * grain, std::min(count, (run + 1) * grain));
    } catch (...) {
      const std::lock_guard lock(failure_mutex);
      if (!failure) failure = std::current_exception();
    }
  }
};

// Threads wait on a condition variable, after a short spin: the ops of a small model come microseconds apart,
// and waking a sleeping thread costs more than such an op.
//
// Each thread begins with the same part of every job, the first with the first rows and so on: what one op
// wrote is then still in the cache of the core where the next op reads it.
class Pool {
 public:
  explicit Pool(int workers) : shares_(size_t(workers) + 1) {
    for (int i = 0; i < workers; ++i) threads_.emplace_back([this, i] { serve(size_t(i) + 1); });
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
      share_out(job.runs());
      job_ = &job;
      ++ticket_;
    }
    wake_.notify_all();
    job.work(shares_, 0);
    {
      const std::lock_guard lock(mutex_);
      job_ = nullptr;
    }
    for (int spin = 0; spin < kSpins && active_.load(std::memory_order_acquire) != 0; ++spin) pause();
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return active_ == 0; });
  }

 private:
  static constexpr int kSpins = 4000;

  static void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }

  void share_out(int64_t runs) {
    const int64_t threads = int64_t(shares_.size());
    for (int64_t i = 0; i < threads; ++i) {
      shares_[size_t(i)].next = runs * i / threads;
      shares_[size_t(i)].end = runs * (i + 1) / threads;
    }
  }

  void serve(size_t thread) {
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
      job.work(shares_, thread);
      lock.lock();
      if (--active_ == 0) done_.notify_one();
    }
  }

  std::vector<std::thread> threads_;
  std::vector<Share> shares_;  // of job_, by thread; 0 is the caller
  std::mutex mutex_;
  std::condition_variable wake_, done_;
  std::atomic<uint64_t> ticket_{0};  // counts jobs; read without the lock only to spin on
  std::atomic<int> active_{0};       // workers inside a job; likewise
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
    job.work_alone();
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
