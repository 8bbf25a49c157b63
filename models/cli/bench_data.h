// How many pictures a second the loader delivers on this machine, and where its time goes.
#pragma once

#include <string>

#include "data/batch.h"

namespace limoe {

struct DataBenchOptions {
  std::string data =
      {};  // a data source; empty: photograph-like JPEGs of 640 x 480 pixels, made for the purpose
  int image_size = 224;
  int threads = 0;  // 0: what the machine has
  double seconds = 5;
  bool augment = true;  // as in training; false: as in evaluation
};

struct DataBenchResult {
  int threads = 0;
  int64_t images = 0;
  double seconds = 0;      // on the clock
  double cpu_seconds = 0;  // of the processors, over all threads
  StageTimes stages;       // on the clock, added over the threads

  double images_per_second() const { return seconds > 0 ? double(images) / seconds : 0; }
};

// Nothing is cached: every picture is read, decoded and resized each time. Throws ValueError for options out
// of range, and what making a Dataset throws.
DataBenchResult bench_data(const DataBenchOptions& options);

}  // namespace limoe
