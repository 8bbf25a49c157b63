#include "models/report/html.h"

#include <cstdint>

#include "models/train/readable.h"

namespace limoe {
namespace {

// Length of the UTF-8 character that begins at `at`, 0 when there is none (RFC 3629: no overlong forms, no
// surrogates, nothing above U+10FFFF).
size_t character_length(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return at + i < text.size() ? uint8_t(text[at + i]) : uint8_t(0); };
  const auto follows = [&](size_t i, uint8_t low = 0x80, uint8_t high = 0xBF) {
    return byte(i) >= low && byte(i) <= high;
  };
  const uint8_t first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const uint8_t low = first == 0xE0 ? 0xA0 : 0x80, high = first == 0xED ? 0x9F : 0xBF;
    return follows(1, low, high) && follows(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const uint8_t low = first == 0xF0 ? 0x90 : 0x80, high = first == 0xF4 ? 0x8F : 0xBF;
    return follows(1, low, high) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

std::string escaped_ascii(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      return std::string(1, uint8_t(c) < 0x20 && c != '\n' ? ' ' : c == 0x7F ? ' ' : c);
  }
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string html;
  for (size_t at = 0; at < text.size();) {
    const size_t length = character_length(text, at);
    if (length == 0)
      html += "\xEF\xBF\xBD";
    else if (length == 1)
      html += escaped_ascii(text[at]);
    else
      html += text.substr(at, length);
    at += length == 0 ? 1 : length;
  }
  return html;
}

std::string base64(std::span<const uint8_t> bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t at = 0; at < bytes.size(); at += 3) {
    const size_t left = bytes.size() - at;
    const uint32_t three =
        bytes[at] << 16 | (left > 1 ? bytes[at + 1] << 8 : 0) | (left > 2 ? bytes[at + 2] : 0);
    text += kDigits[three >> 18];
    text += kDigits[three >> 12 & 63];
    text += left > 1 ? kDigits[three >> 6 & 63] : '=';
    text += left > 2 ? kDigits[three & 63] : '=';
  }
  return text;
}

std::string png_uri(const Image& image) {
  return "data:image/png;base64," + base64(encode_png(image));
}

std::string short_number(double value, int decimals) {
  std::string text = with_decimals(value, decimals);
  if (text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
  }
  return text == "-0" ? "0" : text;
}

std::string html_table(const std::vector<std::string>& heading,
                       const std::vector<std::vector<std::string>>& rows) {
  std::string html = "<div class=\"scroll\"><table>";
  if (!heading.empty()) {
    html += "<thead><tr>";
    for (const std::string& cell : heading) html += "<th scope=\"col\">" + cell + "</th>";
    html += "</tr></thead>";
  }
  html += "<tbody>";
  for (const std::vector<std::string>& row : rows) {
    html += "<tr>";
    for (size_t column = 0; column < row.size(); ++column)
      html += column == 0 ? "<th scope=\"row\">" + row[column] + "</th>" : "<td>" + row[column] + "</td>";
    html += "</tr>";
  }
  return html + "</tbody></table></div>\n";
}

std::string html_section(const std::string& id, const std::string& heading, const std::string& lead,
                         const std::string& body) {
  return "<section id=\"" + id + "\">\n<h2>" + heading + "</h2>\n" +
         (lead.empty() ? "" : "<p class=\"lead\">" + lead + "</p>\n") + body + "</section>\n";
}

std::string html_missing(const std::string& text) {
  return "<p class=\"missing\">" + escaped(text) + "</p>\n";
}

}  // namespace limoe
