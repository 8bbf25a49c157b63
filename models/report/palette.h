// Colours that readers with any colour vision tell apart (Okabe & Ito 2008, "Color universal design"), grey
// in place of black. There are eight; further experts get lighter and darker ones of the same hues, and
// wherever colours stand for experts their numbers are written too.
#pragma once

#include <cstdint>
#include <string>

namespace limoe {

inline constexpr int kLineColors = 6;

std::string expert_color(int64_t expert);         // "#0072B2"
std::string expert_class(int64_t expert);         // "e0": sets --c to that colour, --on to what is read on it
std::string line_class(size_t line);              // "s0": a colour for lines, in both themes
std::string palette_css(int64_t experts);         // the classes
std::string expert_legend_html(int64_t experts);  // a row of numbered swatches

}  // namespace limoe
