// Writing WebDataset shards.
#include "data/shards.h"

#include <cstdio>
#include <filesystem>

#include "tensor/atomic_file.h"
#include "tensor/error.h"

namespace limoe {

std::string shard_key(int64_t index) {
  char text[24];
  std::snprintf(text, sizeof text, "%09lld", static_cast<long long>(index));
  return text;
}

ShardWriter::ShardWriter(const std::string& folder, int64_t samples_per_shard)
    : folder_(folder), samples_per_shard_(samples_per_shard) {
  if (samples_per_shard < 1)
    throw ValueError("ShardWriter: samples_per_shard is ", samples_per_shard, "; expected 1 or more");
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw FileError(folder, ": cannot be created: ", error.message());
}

void ShardWriter::add(const ShardSample& sample) {
  if (sample.key.empty() || sample.key.find_first_of("./") != std::string::npos)
    throw ValueError("ShardWriter: key is '", sample.key, "'; expected a name without '.' and '/'");
  if (count_ % samples_per_shard_ == 0) {
    if (tar_) tar_->finish();
    tar_.emplace(folder_ + "/" + std::to_string(shards_++) + ".tar");
  }
  tar_->add(sample.key + ".png", sample.png);
  tar_->add(sample.key + ".txt", sample.caption);
  if (!sample.json.empty()) tar_->add(sample.key + ".json", sample.json);
  if (sample.class_index >= 0) tar_->add(sample.key + ".cls", std::to_string(sample.class_index));
  ++count_;
}

void ShardWriter::finish() {
  if (tar_) tar_->finish();
  tar_.reset();
  write_text_file(folder_ + "/nshards.txt", std::to_string(shards_) + "\n");
}

}  // namespace limoe
