#include "bench/support/machine.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <functional>
#include <vector>

#include "tensor/parallel.h"

namespace limoe::bench {
namespace {

constexpr int kRuns = 7;  // the best of them counts: everything that disturbs makes a run slower

double best_seconds(const std::function<void()>& work) {
  using Clock = std::chrono::steady_clock;
  double best = INFINITY;
  for (int run = 0; run < kRuns; ++run) {
    const Clock::time_point begin = Clock::now();
    work();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - begin).count());
  }
  return best;
}

constexpr int64_t kSteps = 1 << 20;
constexpr int kChains = 12;  // two units with a latency of four or five need ten

// `value` is held in its register and seen as changed, so that no chain is computed in advance.
template <class Lanes>
__attribute__((always_inline)) inline double fma_chains(float factor) {
  Lanes sum[kChains], a = Lanes{} + factor, b = Lanes{} + (1 - factor);
#pragma GCC unroll 16
  for (int i = 0; i < kChains; ++i) sum[i] = Lanes{} + float(i);
  for (int64_t step = 0; step < kSteps; ++step) {
#pragma GCC unroll 16
    for (int i = 0; i < kChains; ++i) sum[i] = sum[i] * a + b;
  }
  Lanes total{};
#pragma GCC unroll 16
  for (int i = 0; i < kChains; ++i) total += sum[i];
  double result = 0;
  for (size_t lane = 0; lane < sizeof(Lanes) / sizeof(float); ++lane) result += double(total[lane]);
  return result;
}

typedef float Lanes4 __attribute__((vector_size(16)));

struct FmaKernel {
  double (*run)(float factor);
  int lanes;
  double flop() const { return 2.0 * kChains * kSteps * lanes; }
};

double fma_baseline(float factor) {
  return fma_chains<Lanes4>(factor);
}

#if defined(__x86_64__)
typedef float Lanes8 __attribute__((vector_size(32)));
typedef float Lanes16 __attribute__((vector_size(64)));
__attribute__((target("avx2,fma"))) double fma_v3(float factor) {
  return fma_chains<Lanes8>(factor);
}
__attribute__((target("avx512f"))) double fma_v4(float factor) {
  return fma_chains<Lanes16>(factor);
}
#endif

FmaKernel widest_fma() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return {fma_v4, 16};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {fma_v3, 8};
#endif
  return {fma_baseline, 4};
}

volatile float factor_seen = 0.5f;
volatile double result_seen = 0;

double measured_flop_rate(int threads) {
  const FmaKernel kernel = widest_fma();
  std::vector<double> results(static_cast<size_t>(threads));
  const double seconds = best_seconds([&] {
    parallel_for(threads, 1,
                 [&](int64_t begin, int64_t) { results[size_t(begin)] = kernel.run(factor_seen); });
  });
  result_seen = results[0];
  return kernel.flop() * threads / seconds;
}

double measured_copy_rate(size_t bytes) {
  const size_t half = std::max<size_t>(bytes / 2, 64);
  std::vector<char> from(half, 1), to(half, 0);
  const int64_t rounds = std::max<int64_t>(1, int64_t((32 << 20) / half));
  const int64_t grain = int64_t((half + size_t(thread_count()) - 1) / size_t(thread_count()));
  const double seconds = best_seconds([&] {
    for (int64_t round = 0; round < rounds; ++round)
      parallel_for(int64_t(half), grain, [&](int64_t begin, int64_t end) {
        std::memcpy(to.data() + begin, from.data() + begin, size_t(end - begin));
        asm volatile("" ::: "memory");
      });
  });
  return double(2 * half) * double(rounds) / seconds;
}

}  // namespace

Machine::Machine()
    : flop_rate_(measured_flop_rate(thread_count())),
      one_thread_(thread_count() == 1 ? flop_rate_ : measured_flop_rate(1)) {}

void Machine::measure_again() {
  flop_rate_ = measured_flop_rate(thread_count());
}

double Machine::copy_rate(double bytes) {
  constexpr double kLeast = 16, kMost = 29;  // 64 KB, where a call is not all overhead, to 512 MB
  const int power = int(std::round(std::clamp(std::log2(std::max(bytes, 1.0)), kLeast, kMost)));
  const auto [found, is_new] = copy_rates_.try_emplace(power, 0);
  if (is_new) found->second = measured_copy_rate(size_t(1) << power);
  return found->second;
}

double Machine::least_seconds(double flop, double bytes) {
  return std::max(flop / flop_rate_, bytes > 0 ? bytes / copy_rate(bytes) : 0);
}

}  // namespace limoe::bench
