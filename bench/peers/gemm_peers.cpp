// Products at LIMoE's shapes: limoe's gemm against oneDNN's and OpenBLAS's sgemm, in turns, on the same data.
//
//   limoe_gemm_peers [THREADS] [ROUNDS]      prints JSON: for each shape the median GFLOP/s of each, and the
//   ratio
//
// Shapes are C = A B [m, n] over k, row-major: the products of a Transformer block, and the few rows of an
// expert. Arrays begin on a cache line, as those of limoe's and PyTorch's tensors do. Results must agree with
// limoe's before anything is timed. In each round every library runs once for about 20 ms; the ratio is that
// of a round, the median over rounds. One thread's time is the processor's time it took, so that other
// processes on its core do not count; several threads' is the wall's.
#include <cblas.h>
#include <dnnl.h>
#include <omp.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "ops/gemm.h"
#include "tensor/factory.h"
#include "tensor/parallel.h"
#include "tensor/random.h"

namespace {

struct Product {
  int64_t m, n, k;
  const char* kind;
};

const Product kProducts[] = {
    {8192, 288, 96, "block"},   {8192, 96, 96, "block"},    {8192, 384, 96, "block"},
    {8192, 96, 384, "block"},   {4160, 1152, 384, "block"}, {4160, 384, 384, "block"},
    {4160, 1536, 384, "block"}, {4160, 384, 1536, "block"}, {848, 2304, 768, "block"},
    {848, 768, 768, "block"},   {848, 3072, 768, "block"},  {848, 768, 3072, "block"},
    {1024, 96, 384, "expert"},  {520, 384, 1536, "expert"}, {8, 3072, 768, "skinny"},
    {16, 3072, 768, "skinny"},  {32, 3072, 768, "skinny"},  {64, 3072, 768, "skinny"},
    {8, 768, 3072, "skinny"},   {16, 768, 3072, "skinny"},  {32, 768, 3072, "skinny"},
    {64, 768, 3072, "skinny"},
};

struct Library {
  std::string name;
  std::function<void(const Product&, const float* a, const float* b, float* c)> multiply;
};

std::vector<Library> libraries() {
  return {
      {"limoe",
       [](const Product& p, const float* a, const float* b, float* c) {
         limoe::gemm<float>(p.m, p.n, p.k, {a, p.k}, {b, p.n}, 0.0f, c, p.n);
       }},
      {"oneDNN", [](const Product& p, const float* a, const float* b,
                    float* c) { dnnl_sgemm('N', 'N', p.m, p.n, p.k, 1.0f, a, p.k, b, p.n, 0.0f, c, p.n); }},
      {"OpenBLAS", [](const Product& p, const float* a, const float* b, float* c) {
         cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, int(p.m), int(p.n), int(p.k), 1.0f, a,
                     int(p.k), b, int(p.n), 0.0f, c, int(p.n));
       }}};
}

limoe::Tensor numbers(int64_t count, uint64_t stream) {
  limoe::Tensor values = limoe::empty({count});
  float* const to = values.mutable_data<float>();
  for (int64_t i = 0; i < count; ++i) to[i] = limoe::random_normal(7, stream, uint64_t(i));
  return values;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double seconds_of(const std::function<void()>& work) {
  const clockid_t clock = limoe::thread_count() == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC;
  timespec begin, end;
  clock_gettime(clock, &begin);
  work();
  clock_gettime(clock, &end);
  return double(end.tv_sec - begin.tv_sec) + 1e-9 * double(end.tv_nsec - begin.tv_nsec);
}

// Rounding of f32 sums of k terms of size 1, in whatever order.
void expect_equal(const Product& p, const std::string& name, const float* a, const float* b) {
  const double allowed = 8 * 0x1p-24 * double(p.k);
  for (int64_t i = 0; i < p.m * p.n; ++i)
    if (!(std::abs(double(a[i]) - double(b[i])) <= allowed)) {
      std::fprintf(stderr, "%lld x %lld x %lld: element %lld is %g by %s; by limoe %g: not timed\n",
                   (long long)p.m, (long long)p.n, (long long)p.k, (long long)i, double(a[i]), name.c_str(),
                   double(b[i]));
      std::exit(1);
    }
}

void print_product(const Product& p, int rounds, const std::vector<Library>& all, bool last) {
  constexpr double kSecondsEach = 0.02;
  const double flop = 2.0 * double(p.m) * double(p.n) * double(p.k);
  const limoe::Tensor left = numbers(p.m * p.k, 1), right = numbers(p.k * p.n, 2);
  limoe::Tensor result = limoe::empty({p.m * p.n}), limoe_result = limoe::empty({p.m * p.n});
  const float *const a = left.data<float>(), *const b = right.data<float>();
  float *const c = result.mutable_data<float>(), *const wanted = limoe_result.mutable_data<float>();
  all[0].multiply(p, a, b, wanted);
  int64_t calls = 1;
  for (const Library& one : all) {
    one.multiply(p, a, b, c);
    expect_equal(p, one.name, c, wanted);
    const double once = seconds_of([&] { one.multiply(p, a, b, c); });
    calls = std::max<int64_t>(calls, int64_t(kSecondsEach / once));
  }
  std::vector<std::vector<double>> rates(all.size());
  std::vector<double> ratios;
  for (int round = 0; round < rounds; ++round) {
    double best_other = 0;
    for (size_t i = 0; i < all.size(); ++i) {
      const double seconds = seconds_of([&] {
        for (int64_t call = 0; call < calls; ++call) all[i].multiply(p, a, b, c);
      });
      rates[i].push_back(flop * double(calls) / seconds / 1e9);
      if (i > 0) best_other = std::max(best_other, rates[i].back());
    }
    ratios.push_back(rates[0].back() / best_other);
  }
  std::printf("  {\"m\": %lld, \"n\": %lld, \"k\": %lld, \"kind\": \"%s\"", (long long)p.m, (long long)p.n,
              (long long)p.k, p.kind);
  for (size_t i = 0; i < all.size(); ++i)
    std::printf(", \"%s\": %.1f", all[i].name.c_str(), median(rates[i]));
  std::printf(", \"ratio\": %.3f, \"least\": %.3f, \"most\": %.3f}%s\n", median(ratios),
              *std::min_element(ratios.begin(), ratios.end()),
              *std::max_element(ratios.begin(), ratios.end()), last ? "" : ",");
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 1, rounds = argc > 2 ? std::atoi(argv[2]) : 9;
  if (threads < 1 || rounds < 1) {
    std::fprintf(stderr, "limoe_gemm_peers: THREADS and ROUNDS are whole numbers, 1 or more\n");
    return 2;
  }
  limoe::set_thread_count(threads);
  omp_set_num_threads(threads);
  openblas_set_num_threads(threads);
  const std::vector<Library> all = libraries();
  std::printf("[\n");
  for (const Product& p : kProducts) print_product(p, rounds, all, &p == std::end(kProducts) - 1);
  std::printf("]\n");
}
