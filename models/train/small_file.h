// The text of a file that ought to be small. It may come from anywhere: a pipe, a folder or a file larger
// than `most` is refused before anything is read or allocated for it.
#pragma once

#include <cstddef>
#include <string>

namespace limoe {

// Far more than any JSON or config file of a run has, far less than would hurt, parsed.
inline constexpr size_t kMostSmallFileBytes = size_t(256) << 10;

// Throws FileError, by path; `expected` says in a few words what the file should have been.
std::string read_small_file(const std::string& path, const char* expected, size_t most = kMostSmallFileBytes);

}  // namespace limoe
