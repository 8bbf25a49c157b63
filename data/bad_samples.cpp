#include "data/bad_samples.h"

#include <nlohmann/json.hpp>

#include "tensor/error.h"

namespace limoe {

std::string to_json(const BadSample& sample) {
  nlohmann::ordered_json line;
  line["shard"] = sample.shard;
  line["member"] = sample.member;
  line["offset"] = sample.offset;
  line["reason"] = sample.reason;
  // Names in a tar are any bytes; what is not UTF-8 must not stop the report.
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void BadSampleLog::add(const BadSample& sample) {
  const std::lock_guard lock(mutex_);
  if (known_.emplace(sample.shard, sample.offset, sample.member).second) samples_.push_back(sample);
  const int64_t count = static_cast<int64_t>(samples_.size());
  if (count > max_bad_)
    throw FileError(sample.shard, ": ", count, " bad sample", count == 1 ? "" : "s", "; expected at most ",
                    max_bad_, " (max-bad). The last is ", sample.member, " at byte ", sample.offset, ": ",
                    sample.reason);
}

int64_t BadSampleLog::count() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int64_t>(samples_.size());
}

std::vector<BadSample> BadSampleLog::samples() const {
  const std::lock_guard lock(mutex_);
  return samples_;
}

}  // namespace limoe
