// A WebDataset shard: the tar itself, its samples, their texts and pictures as bytes. Mode bit 0: checksums
// are put right; bit 1: captions come from JSON.
#include <vector>

#include "data/sources/tar_source.h"
#include "data/tar.h"
#include "tests/fuzz/bad_samples.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/repair.h"

using namespace limoe;

namespace {

void read_samples(const std::string& path, bool from_json) {
  BadSampleLog bad(1 << 20);
  const TarSource source(path, from_json ? "caption" : "", bad);
  fuzzing::expect_lines_of_json(bad);
  for (int64_t sample = 0; sample < source.size(); ++sample) {
    source.read_image(sample);
    fuzzing::expect_parsed_or_refused([&] { source.read_text(sample); });
    fuzzing::expect_one_line_of_json(source.place_of(sample));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const fuzzing::ScratchFolder folder;
  const fuzzing::Input input(data, size);
  std::vector<uint8_t> file(input.rest.begin(), input.rest.end());
  if (input.has(0)) fuzzing::repair_tar(file);
  const std::string path = folder.write("in.tar", file);
  fuzzing::expect_parsed_or_refused([&] {
    for (const TarMember& member : read_tar_index(path)) {
      fuzzing::expect(member.size >= 0 && member.offset + member.size <= static_cast<int64_t>(file.size()),
                      "a member inside the file");
      read_tar_member(path, member);
    }
  });
  fuzzing::expect_parsed_or_refused([&] { read_samples(path, input.has(1)); });
  return 0;
}
