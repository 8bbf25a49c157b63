// What the text members of a sample say.
//
// JSON fields read: the one json_text_key names, "name" (a string), "phrases", or without
// those "keywords" and "subgroup" (strings or lists of them). Others are ignored; so are these where they
// have another type.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace limoe {

struct SampleText {
  std::string caption;  // without white space at its ends, never empty
  std::string name;     // what the picture shows; the caption itself where the JSON has no "name"
  std::vector<std::string> phrases;  // more about it, none equal to the name or to each other
  int64_t label = -1;                // -1: no class
};

// The contents of KEY.txt, KEY.json and KEY.cls; empty where the sample has no such member.
struct SampleTextFiles {
  std::string text;
  std::string json;
  std::string label;
};

// FileError "SAMPLE: ...": no caption, JSON that cannot be read or lacks json_text_key, a class that is no
// number.
SampleText parse_sample_text(const SampleTextFiles& files, const std::string& json_text_key,
                             const std::string& sample);

}  // namespace limoe
