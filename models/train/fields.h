// Config structs from text and back, by the key names that visit_fields() gives their fields.
//
// Supported field types: int64_t, uint64_t, double, bool, std::string. A value is taken whole or refused:
// "12x" is no integer, "1.5" is no integer, 300 digits are no double.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "models/train/config_file.h"

namespace limoe {

// Throw ValueError "<origin>: <key> is <text>; expected <type>". The origin is "--lr" or
// "runs/a/config.toml:12".
void assign_text(int64_t& field, std::string_view text, const std::string& origin);
void assign_text(uint64_t& field, std::string_view text, const std::string& origin);
void assign_text(double& field, std::string_view text, const std::string& origin);
void assign_text(bool& field, std::string_view text, const std::string& origin);
void assign_text(std::string& field, std::string_view text, const std::string& origin);

std::string text_of(int64_t value);
std::string text_of(uint64_t value);
std::string text_of(double value);  // the shortest text that reads back as the same double
std::string text_of(bool value);
std::string text_of(const std::string& value);

// Assigns every value whose key the config has, and removes it from `values`.
template <class Config>
void take_fields(Config& config, KeyedValues& values) {
  visit_fields(config, [&](const char* key, auto& field, const char*) {
    const auto found = values.find(key);
    if (found == values.end()) return;
    assign_text(field, found->second.text, found->second.origin);
    values.erase(found);
  });
}

// `key = value` lines, strings quoted, with a heading.
template <class Config>
std::string to_toml(const Config& config, const std::string& heading) {
  std::string text = "# " + heading + "\n";
  visit_fields(config, [&](const char* key, const auto& field, const char*) {
    if constexpr (std::is_same_v<std::decay_t<decltype(field)>, std::string>)
      text += std::string(key) + " = " + quoted_text(field) + "\n";
    else
      text += std::string(key) + " = " + text_of(field) + "\n";
  });
  return text;
}

template <class Config>
std::vector<std::string> field_names(Config config = {}) {
  std::vector<std::string> names;
  visit_fields(config, [&](const char* key, const auto&, const char*) { names.emplace_back(key); });
  return names;
}

// Throws UsageError naming the nearest of `known` when a value is left over.
void refuse_unknown(const KeyedValues& left_over, const std::vector<std::string>& known);

}  // namespace limoe
