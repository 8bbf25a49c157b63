// The small text files that lie beside a data set, one entry a line, as CLIP_benchmark lays them out: in the
// folder of the samples or in the one above it.
#pragma once

#include <string>
#include <vector>

namespace limoe {

inline constexpr const char* kClassNamesFile = "classnames.txt";

// Lines without their ends (LF or CRLF), empty ones left out. FileError when there is none.
std::vector<std::string> read_lines(const std::string& path);

// `name` in the folder or the one above it; "" where neither has it.
std::string find_beside(const std::string& folder, const std::string& name);

}  // namespace limoe
