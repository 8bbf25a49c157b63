// A table of pictures and captions. Mode bit 0: parted by commas instead of tabs.
#include "data/sources/csv_source.h"
#include "tests/fuzz/bad_samples.h"
#include "tests/fuzz/fuzz_target.h"

using namespace limoe;

namespace {

void read_rows(const std::string& path, const CsvColumns& columns) {
  BadSampleLog bad(1 << 20);
  const CsvSource source(path, columns, bad);
  fuzzing::expect_lines_of_json(bad);
  if (source.size() == 0) return;
  for (const int64_t sample : {int64_t{0}, source.size() - 1}) {
    source.image_name(sample);
    fuzzing::expect_parsed_or_refused([&] { source.read_text(sample); });
    fuzzing::expect_parsed_or_refused([&] { source.read_image(sample); });
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const fuzzing::ScratchFolder folder;
  const fuzzing::Input input(data, size);
  const std::string path = folder.write("in.csv", input.rest);
  fuzzing::expect_parsed_or_refused([&] { read_rows(path, {.separator = input.has(0) ? "," : "tab"}); });
  return 0;
}
