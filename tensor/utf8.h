// Whether bytes are UTF-8: well-formed, without overlong forms and surrogates.
#pragma once

#include <string_view>

namespace limoe {

bool is_utf8(std::string_view text);

}  // namespace limoe
