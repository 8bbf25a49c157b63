#include "models/train/event_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>

#include "models/train/crc32c.h"
#include "tensor/atomic_file.h"
#include "tensor/error.h"

namespace limoe {
namespace {

enum class Wire : uint8_t { kVarint = 0, kEight = 1, kBytes = 2, kFour = 5 };

template <class Unsigned>
void put_little_endian(std::string& out, Unsigned value) {
  for (std::size_t byte = 0; byte < sizeof value; ++byte) out += static_cast<char>(value >> 8 * byte & 0xFF);
}

void put_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7F) | 0x80);
  out += static_cast<char>(value);
}

void put_tag(std::string& out, int field, Wire wire) {
  put_varint(out, static_cast<uint64_t>(field) << 3 | static_cast<uint64_t>(wire));
}

void put_bytes(std::string& out, int field, const std::string& bytes) {
  put_tag(out, field, Wire::kBytes);
  put_varint(out, bytes.size());
  out += bytes;
}

std::string event_at(int64_t step) {
  const double seconds =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  std::string event;
  put_tag(event, 1, Wire::kEight);
  put_little_endian(event, std::bit_cast<uint64_t>(seconds));
  put_tag(event, 2, Wire::kVarint);
  put_varint(event, static_cast<uint64_t>(step));
  return event;
}

std::string value_of(const std::string& tag, double number) {
  std::string value;
  put_bytes(value, 1, tag);
  put_tag(value, 2, Wire::kFour);
  put_little_endian(value, std::bit_cast<uint32_t>(static_cast<float>(number)));
  return value;
}

uint32_t masked_crc(const std::string& bytes) {
  return std::rotr(crc32c(bytes), 15) + 0xA282EAD8u;
}

std::string name_of_new_file() {
  char host[256] = "localhost";
  if (gethostname(host, sizeof host - 1) != 0) std::strcpy(host, "localhost");
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
  return concatenate("events.out.tfevents.", seconds.count(), ".", host, ".", getpid());
}

void add_scalar(Scalars& scalars, const std::string& tag, const nlohmann::json& value) {
  if (value.is_number()) scalars.emplace_back(tag, value.get<double>());
}

}  // namespace

EventFile::EventFile(const std::string& folder, int64_t first_step)
    : path_(folder + "/" + name_of_new_file()) {
  descriptor_ = open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor_ < 0) throw FileError(path_, ": cannot be created: ", std::strerror(errno));
  std::string version = event_at(0);
  put_bytes(version, 3, "brain.Event:2");
  write_record(version);
  if (first_step == 0) return;
  std::string started;
  put_tag(started, 1, Wire::kVarint);
  put_varint(started, 1);
  std::string event = event_at(first_step);
  put_bytes(event, 7, started);
  write_record(event);
}

EventFile::~EventFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

void EventFile::append(int64_t step, const Scalars& scalars) {
  std::string summary;
  for (const auto& [tag, number] : scalars) put_bytes(summary, 1, value_of(tag, number));
  std::string event = event_at(step);
  put_bytes(event, 5, summary);
  write_record(event);
}

// A record that is not written whole is taken back: readers stop at the first broken one.
void EventFile::write_record(const std::string& data) {
  std::string record;
  put_little_endian(record, static_cast<uint64_t>(data.size()));
  put_little_endian(record, masked_crc(record));
  record += data;
  put_little_endian(record, masked_crc(data));
  const off_t before = lseek(descriptor_, 0, SEEK_END);
  if (write_fully(descriptor_, record.data(), record.size())) return;
  const int reason = errno;
  const bool taken_back = before >= 0 && ftruncate(descriptor_, before) == 0;
  throw FileError(path_, ": cannot be written: ", std::strerror(reason),
                  taken_back ? "" : "; half a record is left in it");
}

Scalars scalars_of(const std::string& json_line) {
  const nlohmann::json json = nlohmann::json::parse(json_line, nullptr, false);
  if (!json.is_object())
    throw FileError("metrics: \"", json_line.substr(0, 40), "\"; expected a JSON object");
  Scalars scalars;
  for (const auto& [key, value] : json.items()) {
    if (key == "step") continue;
    add_scalar(scalars, key, value);
    for (std::size_t i = 0; value.is_array() && i < value.size(); ++i)
      add_scalar(scalars, key + "/" + std::to_string(i), value[i]);
  }
  return scalars;
}

}  // namespace limoe
