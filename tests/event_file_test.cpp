// The file is taken apart here by code of its own, byte by byte; tests/interop/read_events.py does it with
// TensorBoard's reader.
#include "models/train/event_file.h"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>

#include "models/train/crc32c.h"
#include "tensor/error.h"
#include "tests/support/scratch_folder.h"

namespace limoe {
namespace {

struct Event {
  double wall_time = 0;
  uint64_t step = 0;
  std::string version, session;
  std::map<std::string, float> values;
};

// Reads protobuf fields; each gives its number and, by wire type, a number or bytes.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : rest_(bytes) {}
  bool next() {
    if (rest_.empty()) return false;
    const uint64_t tag = varint();
    field = int(tag >> 3);
    switch (tag & 7) {
      case 0:
        number = varint();
        break;
      case 1:
        number = little_endian(8);
        break;
      case 2:
        bytes = take(varint());
        break;
      case 5:
        number = little_endian(4);
        break;
      default:
        FAIL("a wire type that does not occur");
    }
    return true;
  }
  int field = 0;
  uint64_t number = 0;
  std::string_view bytes;

 private:
  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      const auto byte = uint8_t(take(1)[0]);
      value |= uint64_t(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
  }
  uint64_t little_endian(std::size_t size) {
    uint64_t value = 0;
    const std::string_view from = take(size);
    for (std::size_t i = 0; i < size; ++i) value |= uint64_t(uint8_t(from[i])) << 8 * i;
    return value;
  }
  std::string_view take(std::size_t size) {
    REQUIRE(size <= rest_.size());
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  std::string_view rest_;
};

Event parse_event(std::string_view data) {
  Event event;
  for (Fields f(data); f.next();) {
    if (f.field == 1) event.wall_time = std::bit_cast<double>(f.number);
    if (f.field == 2) event.step = f.number;
    if (f.field == 3) event.version = f.bytes;
    if (f.field == 7) event.session = f.bytes;
    if (f.field != 5) continue;
    for (Fields value(f.bytes); value.next();) {
      std::string tag;
      float number = 0;
      for (Fields part(value.bytes); part.next();)
        if (part.field == 1)
          tag = part.bytes;
        else
          number = std::bit_cast<float>(uint32_t(part.number));
      event.values[tag] = number;
    }
  }
  return event;
}

uint32_t unmasked(uint32_t masked) {
  return std::rotl(masked - 0xA282EAD8u, 15);
}

// False when a length or checksum does not fit.
bool parse_records(const std::string& file, std::vector<Event>& events) {
  for (std::size_t at = 0; at < file.size();) {
    uint64_t length = 0;
    uint32_t sum = 0;
    if (file.size() - at < 16) return false;
    std::memcpy(&length, &file[at], 8);
    std::memcpy(&sum, &file[at + 8], 4);
    if (unmasked(sum) != crc32c({&file[at], 8}) || length > file.size() - at - 16) return false;
    const std::string_view data(&file[at + 12], length);
    std::memcpy(&sum, &file[at + 12 + length], 4);
    if (unmasked(sum) != crc32c(data)) return false;
    events.push_back(parse_event(data));
    at += 16 + length;
  }
  return true;
}

std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("crc32c gives the sums of RFC 3720, B.4") {
  std::string rising;
  for (int i = 0; i < 32; ++i) rising += char(i);
  CHECK(crc32c(std::string(32, '\0')) == 0x8A9136AAu);
  CHECK(crc32c(std::string(32, '\xFF')) == 0x62A8AB43u);
  CHECK(crc32c(rising) == 0x46DD794Eu);
  CHECK(crc32c("123456789") == 0xE3069283u);
}

TEST_CASE("an event file holds its version, then each step's numbers under their names") {
  const testing::ScratchFolder folder;
  EventFile file(folder / "", 0);
  file.append(10, {{"train/loss", 5.5}, {"train/lr", 1e-3}});
  file.append(300, {{"train/loss", INFINITY}});
  std::vector<Event> events;
  REQUIRE(parse_records(contents(file.path()), events));
  REQUIRE(events.size() == 3);
  CHECK(events[0].version == "brain.Event:2");
  CHECK(events[1].step == 10);
  CHECK(events[1].values == std::map<std::string, float>{{"train/loss", 5.5f}, {"train/lr", 1e-3f}});
  CHECK(events[1].wall_time > 1.7e9);
  CHECK(events[2].step == 300);
  CHECK(events[2].values.at("train/loss") == INFINITY);
}

TEST_CASE("a resumed run's file tells TensorBoard from which step on to forget earlier files") {
  const testing::ScratchFolder folder;
  const EventFile file(folder / "", 70);
  std::vector<Event> events;
  REQUIRE(parse_records(contents(file.path()), events));
  REQUIRE(events.size() == 2);
  CHECK(events[1].step == 70);
  CHECK(events[1].session == std::string("\x08\x01"));  // status START
}

TEST_CASE("a changed byte is noticed by the checksums") {
  const testing::ScratchFolder folder;
  EventFile file(folder / "", 0);
  file.append(1, {{"train/loss", 1.0}});
  const std::string whole = contents(file.path());
  std::vector<Event> events;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string changed = whole;
    changed[at] = char(changed[at] ^ 1);
    CHECK_FALSE(parse_records(changed, events));
  }
}

TEST_CASE("scalars are the numbers of a line of metrics, arrays by index, nothing for null") {
  CHECK(scalars_of(R"({"step": 3, "a": 1.5, "load": [0.25, null, 0.75], "b": null, "c": "word"})") ==
        Scalars{{"a", 1.5}, {"load/0", 0.25}, {"load/2", 0.75}});
  CHECK_THROWS_AS(scalars_of("{\"step\": 3"), FileError);
}

TEST_CASE("a folder that is not there is named") {
  CHECK_THROWS_AS(EventFile("/nowhere/run", 0), FileError);
}

}  // namespace limoe
