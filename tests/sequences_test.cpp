#include "ops/sequences.h"

#include <doctest/doctest.h>

using namespace limoe;

TEST_CASE("sequences: rows are packed without gaps, and empty runs take none") {
  const Sequences sequences{{2, 3}, {0, 7}, {1, 0}, {1, 4}};
  CHECK(token_count(sequences) == 10);
  CHECK(sequence_count(sequences) == 4);
  const std::vector<SequenceRange> ranges = sequence_ranges(sequences);
  const std::vector<SequenceRange> wanted{{0, 3}, {3, 3}, {6, 0}, {6, 4}};
  REQUIRE(ranges.size() == wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) {
    CHECK(ranges[i].first == wanted[i].first);
    CHECK(ranges[i].length == wanted[i].length);
  }
  CHECK(token_count({}) == 0);
}
