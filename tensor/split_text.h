// split_text("a::b", "::"): the parts between separators, "a" and "b". One part more than separators; parts
// may be empty.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace limoe {

inline std::vector<std::string> split_text(std::string_view text, std::string_view separator) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t end; (end = text.find(separator, begin)) != std::string_view::npos;
       begin = end + separator.size())
    parts.emplace_back(text.substr(begin, end - begin));
  parts.emplace_back(text.substr(begin));
  return parts;
}

}  // namespace limoe
