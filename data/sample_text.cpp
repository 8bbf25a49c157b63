#include "data/sample_text.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "tensor/error.h"
#include "tensor/split_text.h"

namespace limoe {
namespace {

std::string trimmed(const std::string& text) {
  constexpr const char* kWhiteSpace = " \t\r\n\f\v";
  const std::size_t begin = text.find_first_not_of(kWhiteSpace);
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(kWhiteSpace) - begin + 1);
}

nlohmann::json parse_json(const std::string& text, const std::string& sample) {
  if (text.empty()) return nlohmann::json::object();
  // The parser takes a zero byte for the end of its input and would ignore what follows.
  nlohmann::json fields;
  if (text.find('\0') == std::string::npos)
    fields = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!fields.is_object()) throw FileError(sample, ".json: not a JSON object; expected {\"field\": ...}");
  return fields;
}

std::string caption_field(const nlohmann::json& fields, const std::string& key, const std::string& sample) {
  const auto field = fields.find(key);
  if (field == fields.end() || !field->is_string())
    throw FileError(sample, ".json: \"", key, "\" is ", field == fields.end() ? "absent" : field->type_name(),
                    "; expected a string with the caption");
  return field->get<std::string>();
}

// A string, or every string of a list. Group names are identifiers, "place-religious": captions say them in
// words.
void append_phrases(const nlohmann::json& fields, const char* key, bool is_identifier, SampleText& text) {
  const auto field = fields.find(key);
  if (field == fields.end()) return;
  const auto append = [&](const nlohmann::json& value) {
    std::string phrase = value.is_string() ? trimmed(value.get<std::string>()) : "";
    if (is_identifier) std::replace(phrase.begin(), phrase.end(), '-', ' ');
    const bool known = phrase == text.name ||
                       std::find(text.phrases.begin(), text.phrases.end(), phrase) != text.phrases.end();
    if (!phrase.empty() && !known) text.phrases.push_back(phrase);
  };
  if (field->is_array())
    std::for_each(field->begin(), field->end(), append);
  else
    append(*field);
}

// The lines of `text`, trimmed, without empty ones.
std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (const std::string& line : split_text(text, "\n"))
    if (std::string caption = trimmed(line); !caption.empty()) lines.push_back(std::move(caption));
  return lines;
}

}  // namespace

int64_t parse_class_label(const std::string& text, const std::string& sample) {
  const std::string digits = trimmed(text);
  if (digits.empty()) return -1;
  int64_t label = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), label);
  if (error != std::errc() || end != digits.data() + digits.size() || label < 0)
    throw FileError(sample, ".cls: the class is \"", digits.substr(0, 32), "\"; expected a number from 0");
  return label;
}

SampleText caption_only(const std::string& caption, const std::string& sample) {
  return parse_sample_text({.text = caption, .json = {}, .label = {}}, {}, sample);
}

SampleText parse_sample_text(const SampleTextFiles& files, const SampleTextOptions& options,
                             const std::string& sample) {
  const nlohmann::json fields = parse_json(files.json, sample);
  SampleText text;
  text.caption = trimmed(
      options.json_text_key.empty() ? files.text : caption_field(fields, options.json_text_key, sample));
  if (options.many_captions && !text.caption.empty()) {
    text.other_captions = lines_of(text.caption);
    text.caption = text.other_captions.front();
    text.other_captions.erase(text.other_captions.begin());
  }
  if (text.caption.empty()) throw FileError(sample, ": the caption is empty; expected text");
  const auto name = fields.find("name");
  if (name != fields.end() && name->is_string()) text.name = trimmed(name->get<std::string>());
  if (text.name.empty()) text.name = text.caption;
  append_phrases(fields, "phrases", /*is_identifier=*/false, text);
  if (text.phrases.empty()) {
    append_phrases(fields, "keywords", /*is_identifier=*/false, text);
    append_phrases(fields, "subgroup", /*is_identifier=*/true, text);
  }
  text.label = parse_class_label(files.label, sample);
  return text;
}

}  // namespace limoe
