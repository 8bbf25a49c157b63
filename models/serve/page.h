// page.html, which the build makes part of the program (embed_page.cmake), so that it works from anywhere.
#pragma once

#include <string_view>

namespace limoe {

extern const std::string_view kPage;

}  // namespace limoe
