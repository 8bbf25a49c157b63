// gunzip_start(path, content, most_bytes): the first `most_bytes` bytes of what gzipped content holds, or all
// of it.
//
// Memory is bounded by `most_bytes`, whatever the content says. FileError, by path, for content that is
// damaged before that; what follows is not looked at.
#pragma once

#include <string>
#include <string_view>

namespace limoe {

bool is_gzip(std::string_view content);
std::string gunzip_start(const std::string& path, std::string_view content, size_t most_bytes);

}  // namespace limoe
