#include "data/sample_cache.h"

#include <utility>

namespace limoe {
namespace {

int64_t size_in_memory(const PreparedSample& sample) {
  std::size_t bytes = sizeof(PreparedSample) + sample.image.pixels.capacity() +
                      sample.text.caption.capacity() + sample.text.name.capacity();
  for (const std::string& phrase : sample.text.phrases) bytes += sizeof(phrase) + phrase.capacity();
  if (sample.ids) bytes += sample.ids->ids.capacity() * sizeof(int32_t);
  return static_cast<int64_t>(bytes);
}

}  // namespace

SampleCache::SampleCache(int64_t sample_count, int64_t max_bytes)
    : max_bytes_(max_bytes),
      samples_(static_cast<std::size_t>(sample_count)),
      bad_(static_cast<std::size_t>(sample_count)) {}

std::shared_ptr<const PreparedSample> SampleCache::find(int64_t sample) const {
  const std::lock_guard lock(mutex_);
  return samples_[static_cast<std::size_t>(sample)];
}

void SampleCache::keep(int64_t sample, std::shared_ptr<const PreparedSample> prepared) {
  const int64_t bytes = size_in_memory(*prepared);
  const std::lock_guard lock(mutex_);
  std::shared_ptr<const PreparedSample>& place = samples_[static_cast<std::size_t>(sample)];
  if (place || bytes > max_bytes_ - bytes_) return;
  place = std::move(prepared);
  bytes_ += bytes;
}

bool SampleCache::is_bad(int64_t sample) const {
  const std::lock_guard lock(mutex_);
  return bad_[static_cast<std::size_t>(sample)];
}

void SampleCache::mark_bad(int64_t sample) {
  const std::lock_guard lock(mutex_);
  bad_[static_cast<std::size_t>(sample)] = true;
}

int64_t SampleCache::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace limoe
