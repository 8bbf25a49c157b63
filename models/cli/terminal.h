// What is known of the terminal that the program talks to.
#pragma once

#include <string>

namespace limoe {

enum class Stream { output, error };

bool is_terminal(Stream stream);
int terminal_width(Stream stream);  // columns; 100 where nothing tells

// The text in a terminal's bold or dim letters; as it is where the stream is no terminal, or NO_COLOR is set.
std::string bold(const std::string& text, Stream stream);
std::string dim(const std::string& text, Stream stream);

// Columns that UTF-8 text takes: code points, with wide ones (East Asian, emoji) as two and marks as none.
int columns_of(const std::string& text);

// The text cut to at most `columns` columns, with "…" for what was left out.
std::string shortened(const std::string& text, int columns);

}  // namespace limoe
