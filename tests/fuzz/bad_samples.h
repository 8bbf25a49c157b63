// Places of bad samples are written as one line of JSON each, whatever bytes their names hold.
#pragma once

#include <algorithm>
#include <vector>

#include "data/bad_samples.h"
#include "tests/fuzz/fuzz_target.h"

namespace limoe::fuzzing {

inline void expect_one_line_of_json(const BadSample& sample) {
  expect(to_json(sample).find('\n') == std::string::npos, "one line of JSON");
}

// The first ones only: JSON for thousands would take most of an execution, and the same code writes it.
inline void expect_lines_of_json(const BadSampleLog& bad) {
  constexpr std::size_t kMost = 4;
  const std::vector<BadSample> samples = bad.samples();
  for (std::size_t i = 0; i < std::min(samples.size(), kMost); ++i) expect_one_line_of_json(samples[i]);
}

}  // namespace limoe::fuzzing
