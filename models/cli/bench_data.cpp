#include "models/cli/bench_data.h"

#include <unistd.h>

#include <chrono>
#include <ctime>
#include <filesystem>
#include <memory>
#include <thread>

#include "data/loader.h"
#include "data/photo_texture.h"
#include "data/tar.h"
#include "models/train/config.h"
#include "models/train/run_parts.h"
#include "tensor/error.h"

namespace limoe {
namespace {

namespace fs = std::filesystem;

constexpr int kWidth = 640, kHeight = 480, kPictures = 64, kQuality = 90;
constexpr int kBatch = 32;
constexpr int kMostThreads = 256;

// One shard of made pictures, gone with this object.
class MadeShard {
 public:
  MadeShard() : path_(fs::temp_directory_path() / concatenate("limoe-bench-", getpid(), ".tar")) {
    TarWriter tar(path_.string());
    for (int i = 0; i < kPictures; ++i) {
      const std::string key = concatenate(i);
      const auto jpeg = encode_jpeg(photo_texture(kWidth, kHeight, uint32_t(i)), kQuality);
      tar.add(key + ".jpg", std::span<const uint8_t>(jpeg));
      tar.add(key + ".txt", std::string_view("a picture of clouds with round shapes in front of them"));
    }
    tar.finish();
  }
  ~MadeShard() {
    std::error_code ignored;  // a destructor must not throw
    fs::remove(path_, ignored);
  }
  MadeShard(const MadeShard&) = delete;
  MadeShard& operator=(const MadeShard&) = delete;

  std::string path() const { return path_.string(); }

 private:
  const fs::path path_;
};

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
}

void check(const DataBenchOptions& options) {
  if (options.image_size < 1 || options.image_size > 4096)
    throw ValueError("bench data: image-size is ", options.image_size, "; expected 1 to 4096");
  if (options.threads < 0 || options.threads > kMostThreads)
    throw ValueError("bench data: threads is ", options.threads, "; expected 0 to ", kMostThreads);
  if (!(options.seconds > 0 && options.seconds <= 3600))
    throw ValueError("bench data: seconds is ", options.seconds, "; expected more than 0, up to 3600");
}

LoaderOptions loader_options(const DataBenchOptions& options, int threads, int64_t samples) {
  TrainConfig train;
  train.augment = train.vary_caption = options.augment;
  LoaderOptions loading = training_loader_options(train, LimoeConfig{});
  loading.image_size = options.image_size;
  loading.batch_size = std::min<int64_t>(kBatch, samples);
  loading.workers = threads;
  loading.prefetch = 2 * threads;
  loading.cache_bytes = 0;
  return loading;
}

}  // namespace

DataBenchResult bench_data(const DataBenchOptions& options) {
  check(options);
  std::unique_ptr<MadeShard> made;
  if (options.data.empty()) made = std::make_unique<MadeShard>();
  const auto dataset = std::make_shared<const Dataset>(made ? made->path() : options.data, DatasetOptions{});
  DataBenchResult result;
  result.threads =
      options.threads > 0 ? options.threads : int(std::max(1u, std::thread::hardware_concurrency()));
  Loader loader(dataset, make_byte_tokenizer(), loader_options(options, result.threads, dataset->size()));
  loader.next();  // memory is mapped, and every worker is under way
  const StageTimes before = loader.times();
  const double begin = wall_seconds(), cpu_begin = cpu_seconds();
  while (wall_seconds() - begin < options.seconds) result.images += loader.next().size();
  result.seconds = wall_seconds() - begin;
  result.cpu_seconds = cpu_seconds() - cpu_begin;
  result.stages = loader.times() - before;
  return result;
}

}  // namespace limoe
