// The name of a data source: several parts, each with ranges in braces. No file is looked for. Most inputs
// may stand for few names only, the others for as many as those of users.
#include "data/shard_list.h"
#include "tests/fuzz/fuzz_target.h"

using namespace limoe;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr int64_t kFew = 2'000, kMany = 24'000'000;
  const int64_t most_bytes = fuzzing::may_be_large({data, size}) ? kMany : kFew;
  const std::string source = fuzzing::text_of({data, size});
  fuzzing::expect_parsed_or_refused([&] {
    for (const std::string& part : split_sources(source))
      fuzzing::expect(!expand_braces(part, most_bytes).empty(), "one name or more");
  });
  return 0;
}
