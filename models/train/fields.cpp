#include "models/train/fields.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <fstream>

#include "tensor/error.h"
#include "tensor/nearest_name.h"

namespace limoe {
namespace {

template <class Number>
void assign_number(Number& field, std::string_view text, const std::string& origin, const char* type) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size())
    throw ValueError(origin, ": is \"", text.substr(0, 40), "\"; expected ", type);
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
    throw ValueError(origin, ": is \"", text.substr(0, 40), "\"; expected a finite number");
  field = number;
}

void assign_text(bool& field, std::string_view text, const std::string& origin) {
  if (text == "true")
    field = true;
  else if (text == "false")
    field = false;
  else
    throw ValueError(origin, ": is \"", text.substr(0, 40), "\"; expected true or false");
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

KeyedValues read_config_file(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw FileError(path, ": cannot be opened; expected a config file");
  std::vector<CLI::ConfigItem> items;
  try {
    items = CLI::ConfigTOML().from_config(file);
  } catch (const std::exception& error) {
    throw FileError(path, ": ", error.what(), "; expected lines `key = value`");
  }
  KeyedValues values;
  for (const CLI::ConfigItem& item : items) {
    if (item.name == "++" || item.name == "--") continue;  // the parser's marks for a section's begin and end
    const std::string origin = path + ": " + item.name;
    if (item.inputs.size() != 1)
      throw FileError(origin, " has ", item.inputs.size(), " values; expected one");
    if (!values.try_emplace(item.name, KeyedText{item.inputs[0], origin}).second)
      throw FileError(origin, " is given twice; expected once");
  }
  return values;
}

void refuse_unknown(const KeyedValues& left_over, const std::vector<std::string>& known) {
  for (const auto& [key, value] : left_over)
    throw UsageError(value.origin, " is unknown; the nearest known key is ", nearest_name(key, known));
}

}  // namespace limoe
