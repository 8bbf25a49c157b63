// Text and pictures as pieces of an HTML page.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/image.h"

namespace limoe {

// Any bytes as text of a page or as a quoted attribute: & < > " ' are escaped, control characters become
// spaces, bytes that are no UTF-8 become U+FFFD.
std::string escaped(std::string_view text);

std::string base64(std::span<const uint8_t> bytes);
std::string png_uri(const Image& image);  // "data:image/png;base64,..."

// Up to `decimals`, without trailing zeros: "12.5", "3". For coordinates, and figures without a column.
std::string short_number(double value, int decimals);

// A table; the first column is text, the others are figures. Cells are HTML.
std::string html_table(const std::vector<std::string>& heading,
                       const std::vector<std::vector<std::string>>& rows);

// <section id> with an <h2> and what is in it; `lead` is a sentence under the heading, or empty. HTML.
std::string html_section(const std::string& id, const std::string& heading, const std::string& lead,
                         const std::string& body);

// A paragraph that says what is missing. `text` is escaped here.
std::string html_missing(const std::string& text);

}  // namespace limoe
