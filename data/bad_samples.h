// The samples that could not be used: skipped, counted, named, and at some point too many.
#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace limoe {

struct BadSample {
  std::string shard;   // path of the tar file
  std::string member;  // the member at fault, or the sample's key where a member is missing
  int64_t offset = 0;  // of the member's contents in the shard
  std::string reason;
};

// One line of JSON, without the line's end: {"shard":..,"member":..,"offset":..,"reason":..}
std::string to_json(const BadSample& sample);

// Thread-safe. A sample (shard, offset, member) is entered once, however often it is met.
class BadSampleLog {
 public:
  explicit BadSampleLog(int64_t max_bad) : max_bad_(max_bad) {}

  // FileError when this one is more than max_bad: it names the counts, and the last reason.
  void add(const BadSample& sample);

  int64_t count() const;
  std::vector<BadSample> samples() const;  // in the order they were met

 private:
  const int64_t max_bad_;
  mutable std::mutex mutex_;
  std::vector<BadSample> samples_;
  std::set<std::tuple<std::string, int64_t, std::string>> known_;
};

}  // namespace limoe
