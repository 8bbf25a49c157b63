// Picture files in plain folders.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace limoe {

// Ends in .png, .jpg, .jpeg, .webp, .bmp or .gif, in any case.
bool has_picture_ending(const std::string& name);

// The whole file, through symbolic links. FileError "PATH: ... (ORIGIN)" for what is no regular file, cannot
// be read, or is larger than kMaxImageBytes; nothing is allocated before that is known.
std::vector<uint8_t> read_picture_file(const std::string& path, const std::string& origin);

}  // namespace limoe
