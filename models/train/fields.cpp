#include "models/train/fields.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "tensor/error.h"
#include "tensor/nearest_name.h"

namespace limoe {
namespace {

// A text from a file or a command line, short enough for a message and on one line.
std::string shown(std::string_view text) {
  std::string cut(text.substr(0, 40));
  std::replace_if(
      cut.begin(), cut.end(), [](char letter) { return uint8_t(letter) < 0x20 || letter == 0x7f; }, '?');
  return cut;
}

template <class Number>
void assign_number(Number& field, std::string_view text, const std::string& origin, const char* type) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size())
    throw ValueError(origin, ": is \"", shown(text), "\"; expected ", type);
  field = number;
}

}  // namespace

void assign_text(int64_t& field, std::string_view text, const std::string& origin) {
  assign_number(field, text, origin, "a whole number");
}

void assign_text(uint64_t& field, std::string_view text, const std::string& origin) {
  assign_number(field, text, origin, "a whole number of 0 or more");
}

void assign_text(double& field, std::string_view text, const std::string& origin) {
  double number = 0;
  assign_number(number, text, origin, "a number");
  if (!std::isfinite(number))
    throw ValueError(origin, ": is \"", shown(text), "\"; expected a finite number");
  field = number;
}

void assign_text(bool& field, std::string_view text, const std::string& origin) {
  if (text == "true")
    field = true;
  else if (text == "false")
    field = false;
  else
    throw ValueError(origin, ": is \"", shown(text), "\"; expected true or false");
}

void assign_text(std::string& field, std::string_view text, const std::string&) {
  field = text;
}

std::string text_of(int64_t value) {
  return std::to_string(value);
}
std::string text_of(uint64_t value) {
  return std::to_string(value);
}
std::string text_of(bool value) {
  return value ? "true" : "false";
}
std::string text_of(const std::string& value) {
  return value;
}
std::string text_of(double value) {
  char digits[64];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
  return std::string(digits, end);
}

void refuse_unknown(const KeyedValues& left_over, const std::vector<std::string>& known) {
  for (const auto& [key, value] : left_over)
    throw UsageError(value.origin, " is unknown; the nearest known key is ", nearest_name(key, known));
}

}  // namespace limoe
