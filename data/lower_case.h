// lower_case(text): the text with every capital letter replaced by its small one.
//
// Covers the alphabets with a one-to-one case pair in the Basic Multilingual Plane that captions use: ASCII,
// Latin-1, Latin Extended-A and Additional, Greek, Cyrillic, Armenian. Independent of the locale. Other
// characters, and bytes that are not valid UTF-8, are copied as they are. Source: Unicode Character Database,
// simple lower-case mappings.
#pragma once

#include <string>
#include <string_view>

namespace limoe {

std::string lower_case(std::string_view text);

}  // namespace limoe
