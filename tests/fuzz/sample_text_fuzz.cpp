// The text members of a sample. Mode bit 0: the caption is a field of the JSON; bit 1: every line is a
// caption; bit 2: the input is the class; bit 3: the input is the caption; otherwise it is the JSON.
#include "data/sample_text.h"
#include "tests/fuzz/fuzz_target.h"

using namespace limoe;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const fuzzing::Input input(data, size);
  const std::string text = fuzzing::text_of(input.rest);
  SampleTextFiles files{"a caption", "", ""};
  (input.has(2) ? files.label : input.has(3) ? files.text : files.json) = text;
  const SampleTextOptions options{.json_text_key = input.has(0) ? "caption" : "",
                                  .many_captions = input.has(1)};
  fuzzing::expect_parsed_or_refused([&] {
    const SampleText read = parse_sample_text(files, options, "in");
    fuzzing::expect(!read.caption.empty() && !read.name.empty() && read.label >= -1, "a caption and a name");
    for (const std::string& phrase : read.phrases) fuzzing::expect(!phrase.empty(), "phrases with text");
    for (const std::string& line : read.other_captions) fuzzing::expect(!line.empty(), "captions with text");
  });
  return 0;
}
