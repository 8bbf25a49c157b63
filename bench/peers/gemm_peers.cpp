// Products at LIMoE's shapes by one library, for gemm.py, which lets the processes of several take turns.
//
//   limoe_gemm_peers limoe|oneDNN|OpenBLAS THREADS
//
// Prints the shapes as JSON on a line: C = A B [m, n] over k, row-major: the products of a Transformer block,
// and the few rows of an expert. Then, for every line "SHAPE CALLS" it reads, it multiplies for a while for
// nothing and CALLS times for "WALL PROCESSOR", the seconds that took; the latter are those of the calling
// thread, so that with one thread other processes on its core do not count. Arrays begin on a cache line, as
// those of limoe's and PyTorch's tensors do. A library's result must agree with limoe's before it is timed.
#include <cblas.h>
#include <dnnl.h>
#include <omp.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
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

double seconds(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return double(now.tv_sec) + 1e-9 * double(now.tv_nsec);
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

// Until the system has given each thread a core of its own again.
constexpr double kSecondsToWarmUp = 0.02;

// The arrays of one shape, made and checked when its turn first comes.
class Turns {
 public:
  Turns(const Product& product, const Library& library)
      : product_(product),
        library_(library),
        a_(numbers(product.m * product.k, 1)),
        b_(numbers(product.k * product.n, 2)),
        c_(limoe::empty({product.m * product.n})) {
    limoe::Tensor wanted = limoe::empty({product.m * product.n});
    libraries()[0].multiply(product, a_.data<float>(), b_.data<float>(), wanted.mutable_data<float>());
    multiply();
    expect_equal(product, library.name, c_.data<float>(), wanted.data<float>());
  }

  void run(int64_t calls) {
    for (const double begin = seconds(CLOCK_MONOTONIC); seconds(CLOCK_MONOTONIC) < begin + kSecondsToWarmUp;)
      multiply();
    const double wall = seconds(CLOCK_MONOTONIC), processor = seconds(CLOCK_THREAD_CPUTIME_ID);
    for (int64_t call = 0; call < calls; ++call) multiply();
    std::printf("%.9f %.9f\n", seconds(CLOCK_MONOTONIC) - wall, seconds(CLOCK_THREAD_CPUTIME_ID) - processor);
    std::fflush(stdout);
  }

 private:
  void multiply() {
    library_.multiply(product_, a_.data<float>(), b_.data<float>(), c_.mutable_data<float>());
  }

  const Product& product_;
  const Library& library_;
  limoe::Tensor a_, b_, c_;
};

}  // namespace

int main(int argc, char** argv) {
  const std::vector<Library> all = libraries();
  const auto library = std::find_if(all.begin(), all.end(),
                                    [&](const Library& one) { return argc == 3 && one.name == argv[1]; });
  const int threads = argc == 3 ? std::atoi(argv[2]) : 0;
  if (library == all.end() || threads < 1) {
    std::fprintf(stderr, "usage: limoe_gemm_peers limoe|oneDNN|OpenBLAS THREADS; THREADS is 1 or more\n");
    return 2;
  }
  limoe::set_thread_count(threads);
  omp_set_num_threads(threads);
  openblas_set_num_threads(threads);
  constexpr size_t kCount = std::size(kProducts);
  for (size_t i = 0; i < kCount; ++i)
    std::printf("%s{\"m\": %lld, \"n\": %lld, \"k\": %lld, \"kind\": \"%s\"}%s", i ? ", " : "[",
                (long long)kProducts[i].m, (long long)kProducts[i].n, (long long)kProducts[i].k,
                kProducts[i].kind, i + 1 < kCount ? "" : "]\n");
  std::fflush(stdout);
  std::vector<std::unique_ptr<Turns>> turns(kCount);
  size_t shape = 0;
  for (long long calls = 0; std::scanf("%zu %lld", &shape, &calls) == 2;) {
    if (shape >= kCount) {
      std::fprintf(stderr, "limoe_gemm_peers: shape %zu; expected 0..%zu\n", shape, kCount - 1);
      return 2;
    }
    if (!turns[shape]) turns[shape] = std::make_unique<Turns>(kProducts[shape], *library);
    turns[shape]->run(calls);
  }
}
