// The known name that a mistyped one most likely meant, by edit distance. For messages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace limoe {

std::string nearest_name(std::string_view name,
                         const std::vector<std::string>& known);  // "" when none is known

}  // namespace limoe
