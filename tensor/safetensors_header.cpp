#include "tensor/safetensors_header.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "tensor/error.h"

namespace limoe {
namespace {

const std::string kMetadataKey = "__metadata__";

// One tensor as the parser finds it.
struct Found {
  std::string name;
  std::optional<std::string> dtype_name;
  std::optional<std::vector<uint64_t>> sizes, offsets;
};

// A name from a file, short enough for a message.
std::string shown(const std::string& name) {
  constexpr size_t kLongest = 100;
  std::string text = name.size() <= kLongest ? name : name.substr(0, kLongest) + "...";
  std::replace_if(
      text.begin(), text.end(), [](char letter) { return uint8_t(letter) < 0x20; }, '?');
  return text;
}

// Fills entries and metadata from the parser's events; anything but the format's one form is refused.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit HeaderReader(const std::string& path) : path_(path) {}

  std::map<std::string, Found> entries;
  std::map<std::string, std::string> metadata;

  bool start_object(size_t) override {
    switch (place_) {
      case Place::start:
        return go(Place::top);
      case Place::top_value:
        return go(in_metadata_ ? Place::metadata : Place::entry);
      default:
        refuse("an object");
    }
  }
  bool end_object() override {
    if (place_ == Place::top) return go(Place::end);
    if (place_ == Place::entry && !(entry_->dtype_name && entry_->sizes && entry_->offsets))
      fail("tensor ", shown(entry_->name), " lacks a field; expected dtype, shape and data_offsets");
    return go(Place::top);
  }
  bool key(string_t& key) override {
    if (place_ == Place::top) return start_entry(key);
    field_ = key;
    if (place_ == Place::metadata) return go(Place::metadata_value);
    if (key == "dtype") return go_once(Place::dtype, entry_->dtype_name.has_value());
    if (key == "shape") return go_once(Place::shape, entry_->sizes.has_value());
    if (key == "data_offsets") return go_once(Place::offsets, entry_->offsets.has_value());
    fail("tensor ", shown(entry_->name), " has a field ", shown(key),
         "; expected dtype, shape and data_offsets alone");
  }
  bool string(string_t& text) override {
    if (place_ == Place::dtype) {
      entry_->dtype_name = text;
      return go(Place::entry);
    }
    if (place_ != Place::metadata_value) refuse("a text");
    if (!metadata.emplace(field_, text).second)
      fail("metadata ", shown(field_), " occurs twice; expected once");
    return go(Place::metadata);
  }
  bool start_array(size_t) override {
    if (place_ == Place::shape) return entry_->sizes.emplace(), go(Place::shape_values);
    if (place_ == Place::offsets) return entry_->offsets.emplace(), go(Place::offset_values);
    refuse("an array");
  }
  bool end_array() override {
    if (place_ == Place::offset_values && entry_->offsets->size() != 2)
      fail("tensor ", shown(entry_->name), " has ", entry_->offsets->size(), " data_offsets; expected 2");
    return go(Place::entry);
  }
  bool number_unsigned(number_unsigned_t number) override {
    const bool is_size = place_ == Place::shape_values;
    if (!is_size && place_ != Place::offset_values) refuse("a number");
    std::vector<uint64_t>& numbers = is_size ? *entry_->sizes : *entry_->offsets;
    const size_t most = is_size ? size_t(Shape::kMaxRank) : 2;
    if (numbers.size() == most)
      fail("tensor ", shown(entry_->name), " has more than ", most, is_size ? " axes" : " data_offsets",
           "; expected at most that");
    numbers.push_back(number);
    return true;
  }
  bool null() override { refuse("null"); }
  bool boolean(bool) override { refuse("true or false"); }
  bool number_integer(number_integer_t) override { refuse("a negative number"); }
  bool number_float(number_float_t, const string_t&) override { refuse("a fraction or a number above 2^64"); }
  bool binary(binary_t&) override { refuse("binary data"); }
  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception&) override {
    fail("header is no JSON text at byte ", position, "; expected a safetensors header");
  }

 private:
  enum class Place {
    start,
    top,
    top_value,
    metadata,
    metadata_value,
    entry,
    dtype,
    shape,
    shape_values,
    offsets,
    offset_values,
    end
  };

  template <class... Parts>
  [[noreturn]] void fail(const Parts&... parts) const {
    throw FileError(path_, ": ", parts...);
  }
  [[noreturn]] void refuse(const char* found) const {
    const std::string where = in_metadata_ ? kMetadataKey
                              : entry_     ? "tensor " + shown(entry_->name)
                                           : "header";
    fail(where, " holds ", found, " where the format has none; expected a safetensors header");
  }
  bool go(Place place) {
    place_ = place;
    return true;
  }
  bool go_once(Place place, bool was_there) {
    if (was_there) fail("tensor ", shown(entry_->name), " has two fields ", field_, "; expected one");
    return go(place);
  }
  bool start_entry(const std::string& name) {
    in_metadata_ = name == kMetadataKey;
    if (in_metadata_) {
      if (std::exchange(had_metadata_, true)) fail(kMetadataKey, " occurs twice; expected once");
    } else {
      const auto [at, is_new] = entries.try_emplace(name);
      if (!is_new) fail("tensor ", shown(name), " occurs twice; expected once");
      entry_ = &at->second;
      entry_->name = name;
    }
    return go(Place::top_value);
  }

  const std::string& path_;
  Place place_ = Place::start;
  Found* entry_ = nullptr;
  std::string field_;
  bool in_metadata_ = false, had_metadata_ = false;
};

// The type, shape and place of one tensor, checked by itself.
SafetensorsEntry interpreted(const std::string& path, const Found& found) {
  const auto fail = [&](const auto&... parts) {
    throw FileError(path, ": tensor ", shown(found.name), parts...);
  };
  const SafetensorsType* const type = find_safetensors_type(*found.dtype_name);
  if (type == nullptr) fail(" is ", shown(*found.dtype_name), "; expected ", names_of_safetensors_types());
  // An element takes the larger of its sizes here and in the file, and a size of 0 counts as 1 in the
  // overflow check, so that the strides of an empty tensor cannot overflow either.
  int64_t largest = int64_t(std::max(size_of(type->dtype), type->bytes));
  for (const uint64_t size : *found.sizes)
    if (size > uint64_t(INT64_MAX) ||
        __builtin_mul_overflow(largest, std::max<int64_t>(int64_t(size), 1), &largest))
      fail(" has more bytes than 63 bits can count; expected a size that a file can have");
  const std::vector<int64_t> sizes(found.sizes->begin(), found.sizes->end());
  const Shape shape{std::span<const int64_t>(sizes)};
  const uint64_t bytes = uint64_t(shape.element_count()) * type->bytes;
  const uint64_t begin = found.offsets->at(0), end = found.offsets->at(1);
  if (end < begin || end - begin != bytes)
    fail(" has data_offsets [", begin, ", ", end, "]; expected ", bytes, " bytes, as its shape has");
  return {found.name, type, shape, begin, end};
}

// Every byte of the data belongs to exactly one tensor. `entries` are in order.
void expect_covered(const std::string& path, const std::vector<SafetensorsEntry>& entries,
                    uint64_t data_bytes) {
  uint64_t covered = 0;
  for (const SafetensorsEntry& entry : entries) {
    if (entry.begin != covered)
      throw FileError(path, ": tensor ", shown(entry.name), " begins at ", entry.begin, "; expected ",
                      covered, ", where the tensor before it ends");
    covered = entry.end;
  }
  if (covered != data_bytes)
    throw FileError(path, ": the tensors end at ", covered, "; expected ", data_bytes, ", the bytes of data");
}

std::string quoted(const char* what, const std::string& text) {
  try {
    return nlohmann::json(text).dump();
  } catch (const nlohmann::json::exception&) {
    throw ValueError("write_safetensors: ", what, " is not UTF-8; expected text");
  }
}

}  // namespace

SafetensorsHeader parse_safetensors_header(const std::string& path, const std::string& text,
                                           uint64_t data_bytes) {
  if (!text.starts_with('{'))
    throw FileError(path, ": header does not begin with {; expected a safetensors file");
  // The parser takes a zero byte for the end of its input and would ignore what follows.
  if (text.find('\0') != std::string::npos)
    throw FileError(path, ": header holds a zero byte; expected JSON text");
  HeaderReader reader(path);
  nlohmann::json::sax_parse(text, &reader);
  SafetensorsHeader header{{}, std::move(reader.metadata)};
  for (const auto& [name, found] : reader.entries) header.entries.push_back(interpreted(path, found));
  std::stable_sort(header.entries.begin(), header.entries.end(), [](const auto& a, const auto& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  expect_covered(path, header.entries, data_bytes);
  return header;
}

std::string safetensors_header_text(const SafetensorsHeader& header) {
  std::string text = "{";
  const auto separate = [&] {
    if (text.back() != '{') text += ',';
  };
  if (!header.metadata.empty()) {
    text += '"' + kMetadataKey + "\":{";
    for (const auto& [key, value] : header.metadata) {
      separate();
      text += quoted("a metadata key", key) + ':' + quoted("a metadata text", value);
    }
    text += '}';
  }
  for (const SafetensorsEntry& entry : header.entries) {
    separate();
    text += quoted("a tensor's name", entry.name) +
            concatenate(":{\"dtype\":\"", entry.type->name, "\",\"shape\":[");
    for (int axis = 0; axis < entry.shape.rank(); ++axis)
      text += (axis ? "," : "") + std::to_string(entry.shape[axis]);
    text += concatenate("],\"data_offsets\":[", entry.begin, ",", entry.end, "]}");
  }
  return text + '}';
}

}  // namespace limoe
