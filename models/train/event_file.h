// Scalars in a file that TensorBoard reads, without TensorBoard or protobuf.
//
// The file is a row of records (the "TFRecord" framing), numbers little-endian:
//
//   u64 length, u32 masked(crc32c(length)), data, u32 masked(crc32c(data))
//   masked(c) = rotate right(c, 15) + 0xA282EAD8
//
// data is a protobuf message tensorflow.Event:
//
//   1 wall_time double | 2 step int64 | 3 file_version string | 5 summary {1 value {1 tag, 2 simple_value
//   float}} | 7 session_log {1 status}
//
// The first record says "brain.Event:2". A run that is resumed begins a file of its own with a session_log of
// status START, upon which TensorBoard drops what earlier files hold from that step on.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace limoe {

using Scalars = std::vector<std::pair<std::string, double>>;  // tag, value

class EventFile {
 public:
  // FOLDER/events.out.tfevents.<seconds>.<host>.<process>. With first_step > 0 the run is resumed there.
  // Throws FileError.
  EventFile(const std::string& folder, int64_t first_step);
  ~EventFile();
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;

  void append(int64_t step, const Scalars& scalars);  // as one record. Throws FileError
  const std::string& path() const { return path_; }

 private:
  void write_record(const std::string& data);

  std::string path_;
  int descriptor_ = -1;
};

// The numbers of a line of metrics.jsonl; element i of an array is KEY/i. What is no number (null for NaN) is
// left out. FileError for text that is no JSON object.
Scalars scalars_of(const std::string& json_line);

}  // namespace limoe
