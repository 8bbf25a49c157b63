// The page around the sections: its style sheet and its script, both within it.
#pragma once

#include <string>

namespace limoe {

const char* page_style();   // CSS
const char* page_script();  // JavaScript: shows the numbers of a chart under the pointer

}  // namespace limoe
