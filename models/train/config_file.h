// A config file: the part of TOML that names single values, read strictly.
//
//   # a comment                  to the end of the line, also behind a value
//   [training]                   a heading; it means nothing
//   lr = 0.001                   key = value: a word without quotes, ...
//   train-data = "a\tb\u00e9"    ... a text with escapes \" \\ \b \f \n \r \t \uXXXX, ...
//   val-data = 'c:\d'            ... or a text without
//
// Keys are letters, digits, - and _. A key occurs once. Lists, tables, dotted keys and texts of several lines
// are refused.
#pragma once

#include <map>
#include <string>

namespace limoe {

struct KeyedText {
  std::string text;
  std::string origin;  // "file: key", for messages
};
using KeyedValues = std::map<std::string, KeyedText>;

// Throws FileError for a file that cannot be read or parsed, or that gives a key twice.
KeyedValues read_config_file(const std::string& path);

// The value that reads back as this text: in double quotes, with escapes where they are needed.
std::string quoted_text(const std::string& text);

}  // namespace limoe
