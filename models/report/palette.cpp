#include "models/report/palette.h"

#include <array>
#include <cmath>
#include <cstdio>

namespace limoe {
namespace {

using Color = std::array<int, 3>;

constexpr std::array<Color, 8> kHues = {{{0, 114, 178},      // blue
                                         {230, 159, 0},      // orange
                                         {0, 158, 115},      // bluish green
                                         {204, 121, 167},    // reddish purple
                                         {86, 180, 233},     // sky blue
                                         {213, 94, 0},       // vermilion
                                         {240, 228, 66},     // yellow
                                         {140, 140, 140}}};  // grey

Color mixed(const Color& color, int towards, double share) {
  Color result{};
  for (size_t i = 0; i < 3; ++i)
    result[i] = int(std::lround(color[i] + share * (double(towards) - color[i])));
  return result;
}

Color color_of(int64_t expert) {
  const Color& hue = kHues[size_t(expert % 8)];
  switch (expert / 8 % 4) {
    case 1:
      return mixed(hue, 255, 0.5);
    case 2:
      return mixed(hue, 0, 0.45);
    case 3:
      return mixed(hue, 255, 0.75);
    default:
      return hue;
  }
}

// Whether white is read better on it than black: luma of ITU-R BT.601.
bool is_dark(const Color& color) {
  return 299 * color[0] + 587 * color[1] + 114 * color[2] < 110 * 1000;
}

}  // namespace

std::string expert_color(int64_t expert) {
  const Color color = color_of(expert);
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "#%02X%02X%02X", unsigned(color[0]) & 255, unsigned(color[1]) & 255,
                unsigned(color[2]) & 255);
  return text.data();
}

std::string expert_class(int64_t expert) {
  return "e" + std::to_string(expert);
}

std::string line_class(size_t line) {
  return "s" + std::to_string(line % kLineColors);
}

std::string palette_css(int64_t experts) {
  constexpr std::array<const char*, kLineColors> kLight = {"#0072B2", "#D55E00", "#009E73",
                                                           "#B0568B", "#B97F00", "#5B6770"};
  constexpr std::array<const char*, kLineColors> kDark = {"#56B4E9", "#F0853A", "#2CC59B",
                                                          "#DD93BC", "#E6B23C", "#A9B4BD"};
  std::string css;
  for (int64_t expert = 0; expert < experts; ++expert)
    css += "." + expert_class(expert) + "{--c:" + expert_color(expert) +
           (is_dark(color_of(expert)) ? ";--on:#fff}" : ";--on:#000}");
  for (size_t line = 0; line < kLineColors; ++line)
    css += "." + line_class(line) + "{--c:" + kLight[line] + "}";
  css += "\n@media screen and (prefers-color-scheme:dark){";
  for (size_t line = 0; line < kLineColors; ++line)
    css += "." + line_class(line) + "{--c:" + kDark[line] + "}";
  return css + "}\n";
}

std::string expert_legend_html(int64_t experts) {
  std::string html = "<p class=\"experts\" aria-label=\"colours of the experts\"><span>expert</span>";
  for (int64_t expert = 0; expert < experts; ++expert)
    html += "<span class=\"swatch " + expert_class(expert) + "\">" + std::to_string(expert) + "</span>";
  return html + "</p>\n";
}

}  // namespace limoe
