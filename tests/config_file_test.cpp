#include "models/train/config_file.h"

#include <doctest/doctest.h>

#include <fstream>

#include "tensor/error.h"
#include "tests/support/scratch_folder.h"

using namespace limoe;
using limoe::testing::ScratchFolder;

namespace {

KeyedValues parsed(const std::string& text) {
  const ScratchFolder folder;
  const std::string path = folder / "config.toml";
  std::ofstream(path, std::ios::binary) << text;
  return read_config_file(path);
}

// What is said behind the file's name; empty when it is read.
std::string refusal(const std::string& text) {
  try {
    parsed(text);
    return "";
  } catch (const FileError& error) {
    const std::string message = error.what();
    CHECK(message.find('\n') == std::string::npos);
    return message.substr(message.find(".toml: ") + 7);
  }
}

}  // namespace

TEST_CASE("config file: words, texts with and without escapes, comments and headings") {
  const KeyedValues values = parsed(
      "# a comment\r\n"
      "[model]  # a heading\n"
      "\twidth=64# behind a value\n"
      "  lr = 1e-3\n"
      "text = \"# \\\"a\\\" \\\\ \\t\\u00e9\\u20ac\" # comment\n"
      "literal = 'c:\\d \"x\"'\n"
      "empty = \"\"\n"
      "last_one = true");
  CHECK(values.size() == 6);
  CHECK(values.at("width").text == "64");
  CHECK(values.at("lr").text == "1e-3");
  CHECK(values.at("text").text == "# \"a\" \\ \té€");
  CHECK(values.at("literal").text == "c:\\d \"x\"");
  CHECK(values.at("empty").text == "");
  CHECK(values.at("last_one").text == "true");
  CHECK(values.at("lr").origin.ends_with("config.toml: lr"));
  CHECK(parsed("").empty());
}

TEST_CASE("config file: any text that is quoted reads back as it was") {
  for (const std::string text : {"", "plain", "a \"b\" \\ c", "\\", "\"", "'", "line\nline\r\n\ttab",
                                 "# no comment", "\x01\x1f\x7f", "grün 猫", "a = b", " blanks ", "[x]"}) {
    CAPTURE(text);
    CHECK(parsed("key = " + quoted_text(text) + "\n").at("key").text == text);
  }
}

TEST_CASE("config file: what is not key = value is refused by its line") {
  const std::string expected = "; expected key = value";
  CHECK(refusal("a = 1\n= 2\n") == "line 2 begins with no key" + expected);
  CHECK(refusal("a\n") == "line 1 has no = behind its key" + expected);
  CHECK(refusal("a.b = 1\n") == "line 1 has no = behind its key" + expected);
  CHECK(refusal("a =\n") == "line 1 has no value" + expected);
  CHECK(refusal("a = # 1\n") == "line 1 has no value" + expected);
  CHECK(refusal("a = 1 2\n") == "line 1 goes on behind its value" + expected);
  CHECK(refusal("a = \"1\" 2\n") == "line 1 goes on behind its value" + expected);
  CHECK(refusal("a = [1]\n") == "line 1 has a list or table as its value" + expected);
  CHECK(refusal("a = {b = 1}\n") == "line 1 has a list or table as its value" + expected);
  CHECK(refusal("a = \"1\n") == "line 1 has a text without its second \"" + expected);
  CHECK(refusal("a = \"\\\"\n") == "line 1 has a text without its second \"" + expected);
  CHECK(refusal("a = '1\n") == "line 1 has a text without its second '" + expected);
  CHECK(refusal("a = \"\\x\"\n") == "line 1 has an unknown escape behind a backslash" + expected);
  CHECK(refusal("a = \"\\u12g4\"\n") == "line 1 has a \\u without four hexadecimal digits" + expected);
  CHECK(refusal("a = \"\\u12") == "line 1 has a \\u without four hexadecimal digits" + expected);
  CHECK(refusal("a = \"\\ud800\"\n") == "line 1 has a \\u that is no character" + expected);
  CHECK(refusal("a = \"\\u0000\"\n") == "line 1 has a \\u that is no character" + expected);
  CHECK(refusal("a = x\x01y\n") == "line 1 holds a control character" + expected);
  CHECK(refusal("[a\n") == "line 1 is no heading in [ ]" + expected);
  CHECK(refusal("[]\n") == "line 1 is no heading in [ ]" + expected);
  CHECK(refusal("[a] b\n") == "line 1 goes on behind its heading" + expected);
  CHECK(refusal("a = 1\n[x]\na = 2\n") == "a is given twice; expected once");
  CHECK(refusal(std::string("\0", 1)) == "line 1 begins with no key" + expected);
}
