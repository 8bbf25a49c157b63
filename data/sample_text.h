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
  std::vector<std::string> phrases;              // more about it, none equal to the name or to each other
  int64_t label = -1;                            // -1: no class
  std::vector<std::string> other_captions = {};  // of the same picture, in sets made for retrieval
};

// The contents of KEY.txt, KEY.json and KEY.cls; empty where the sample has no such member.
struct SampleTextFiles {
  std::string text;
  std::string json;
  std::string label;
};

struct SampleTextOptions {
  std::string json_text_key = {};  // empty: the caption is the text
  bool many_captions = false;      // every line of the text is a caption
};

// FileError "SAMPLE: ...": no caption, JSON that cannot be read or lacks json_text_key, a class that is no
// number.
SampleText parse_sample_text(const SampleTextFiles& files, const SampleTextOptions& options,
                             const std::string& sample);

// The text of a caption alone. FileError as above.
SampleText caption_only(const std::string& caption, const std::string& sample);

// -1 for empty text. FileError "SAMPLE.cls: ..." for what is no number from 0.
int64_t parse_class_label(const std::string& text, const std::string& sample);

}  // namespace limoe
