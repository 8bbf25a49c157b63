#include "data/shard_list.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string_view>

#include "tensor/error.h"
#include "tensor/split_text.h"

namespace limoe {
namespace {

namespace fs = std::filesystem;

std::optional<int64_t> parse_number(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

// Refused before they are made: a few braces can stand for more names than a memory holds.
void expect_few(const std::string& pattern, int64_t names, std::size_t longest, int64_t most_bytes) {
  int64_t bytes = 0;
  if (__builtin_mul_overflow(names, static_cast<int64_t>(sizeof(std::string) + longest), &bytes) ||
      bytes > most_bytes)
    throw FileError(pattern, ": its braces stand for more names than fit into ", most_bytes,
                    " bytes; expected fewer");
}

// "000..012" -> 000 001 .. 012; "train,test" -> train test
std::vector<std::string> alternatives(const std::string& pattern, const std::string& inside,
                                      int64_t most_bytes) {
  const std::size_t dots = inside.find("..");
  if (dots == std::string::npos) {
    expect_few(pattern, 1 + std::count(inside.begin(), inside.end(), ','), 0, most_bytes);
    return split_text(inside, ",");
  }
  const std::string first_text = inside.substr(0, dots);
  const auto first = parse_number(first_text);
  const auto last = parse_number(std::string_view(inside).substr(dots + 2));
  if (!first || !last || *last < *first)
    throw FileError(pattern, ": the range is {", inside,
                    "}; expected {FIRST..LAST}, two numbers in rising order");
  expect_few(pattern, *last - *first, first_text.size(), most_bytes);
  std::vector<std::string> names;
  for (int64_t step = 0; step <= *last - *first; ++step) {
    const std::string digits = std::to_string(*first + step);
    names.push_back(std::string(std::max(first_text.size(), digits.size()) - digits.size(), '0') + digits);
  }
  return names;
}

// A pair of braces, with the text in front of it.
struct Braces {
  std::string before;
  std::vector<std::string> names;
};

std::size_t longest_of(const std::vector<std::string>& names) {
  std::size_t longest = 0;
  for (const std::string& name : names) longest = std::max(longest, name.size());
  return longest;
}

// Runs of digits compare as numbers, everything else byte by byte.
bool natural_less(const std::string& a, const std::string& b) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  std::size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    if (!is_digit(a[i]) || !is_digit(b[j])) {
      if (a[i] != b[j]) return a[i] < b[j];
      ++i, ++j;
      continue;
    }
    while (i < a.size() && a[i] == '0') ++i;
    while (j < b.size() && b[j] == '0') ++j;
    const auto end_a =
        std::find_if_not(a.begin() + static_cast<std::ptrdiff_t>(i), a.end(), is_digit) - a.begin();
    const auto end_b =
        std::find_if_not(b.begin() + static_cast<std::ptrdiff_t>(j), b.end(), is_digit) - b.begin();
    const std::string number_a = a.substr(i, static_cast<std::size_t>(end_a) - i);
    const std::string number_b = b.substr(j, static_cast<std::size_t>(end_b) - j);
    if (number_a.size() != number_b.size()) return number_a.size() < number_b.size();
    if (number_a != number_b) return number_a < number_b;
    i = static_cast<std::size_t>(end_a), j = static_cast<std::size_t>(end_b);
  }
  if (i == a.size() && j == b.size()) return a < b;  // "01" and "1": still one order
  return i == a.size();
}

std::vector<std::string> tars_in(const fs::path& folder) {
  std::vector<std::string> tars;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.is_regular_file() && entry.path().extension() == ".tar") tars.push_back(entry.path().string());
  std::sort(tars.begin(), tars.end(), natural_less);
  return tars;
}

// The mistake to expect is naming the data set instead of one of its splits.
std::string splits_in(const fs::path& folder) {
  std::vector<std::string> splits;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.is_directory() && !tars_in(entry.path()).empty()) splits.push_back(entry.path().string());
  std::sort(splits.begin(), splits.end());
  std::string text;
  for (const std::string& split : splits) text += (text.empty() ? "" : ", ") + split;
  return text.empty() ? "one" : text;
}

// A shard that was not copied would be missing without a word.
void check_shard_count(const std::string& folder, std::size_t found) {
  const fs::path file = fs::path(folder) / "nshards.txt";
  if (!fs::is_regular_file(file)) return;
  std::string text;
  std::ifstream(file) >> text;
  const auto expected = parse_number(text);
  if (!expected)
    throw FileError(file.string(), ": is \"", text.substr(0, 32), "\"; expected a number of shards");
  if (*expected != static_cast<int64_t>(found))
    throw FileError(folder, ": holds ", found, " .tar files; expected ", *expected,
                    ", as its nshards.txt says");
}

std::vector<std::string> shards_of(const std::string& path) {
  if (fs::is_regular_file(path)) return {path};
  if (!fs::is_directory(path))
    throw FileError(path, ": no such file or folder; expected a .tar, a folder of them, or a range like ",
                    "DIR/{0..12}.tar");
  std::vector<std::string> tars = tars_in(path);
  if (tars.empty())
    throw FileError(path, ": the folder holds no .tar file; expected a folder that does: ", splits_in(path),
                    "; or a .csv or .tsv file, or folders of pictures, one a class");
  check_shard_count(path, tars.size());
  return tars;
}

}  // namespace

std::vector<std::string> expand_braces(const std::string& pattern, int64_t most_bytes) {
  std::vector<Braces> all;
  std::size_t at = 0, longest = pattern.size();
  int64_t count = 1;
  for (std::size_t open; (open = pattern.find('{', at)) != std::string::npos;) {
    const std::size_t close = pattern.find('}', open);
    if (close == std::string::npos)
      throw FileError(pattern, ": a '{' is not closed; expected '}' after the range");
    all.push_back({pattern.substr(at, open - at),
                   alternatives(pattern, pattern.substr(open + 1, close - open - 1), most_bytes)});
    count *= static_cast<int64_t>(all.back().names.size());
    longest += longest_of(all.back().names);
    if (count > 1) expect_few(pattern, count, longest, most_bytes);
    at = close + 1;
  }
  std::vector<std::string> names(static_cast<std::size_t>(count));
  std::size_t run = names.size();  // so many names in a row have the same alternative
  for (const Braces& braces : all) {
    run /= braces.names.size();
    for (std::size_t i = 0; i < names.size(); ++i)
      names[i] += braces.before + braces.names[i / run % braces.names.size()];
  }
  for (std::string& name : names) name += pattern.substr(at);
  return names;
}

std::vector<std::string> find_shards(const std::string& source) {
  std::vector<std::string> shards;
  for (const std::string& part : split_sources(source))
    for (const std::string& path : expand_braces(part))
      for (std::string& shard : shards_of(path)) shards.push_back(std::move(shard));
  return shards;
}

std::string evaluation_source(const std::string& source) {
  std::error_code error;
  const fs::path test = fs::path(source) / "test";
  if (!fs::is_directory(test, error) || !tars_in(source).empty() || tars_in(test).empty()) return source;
  return test.string();
}

std::vector<std::string> split_sources(const std::string& source) {
  std::vector<std::string> parts = split_text(source, "::");
  for (const std::string& part : parts)
    if (part.empty())
      throw FileError("data source \"", source, "\": a path is empty; expected PATH or PATH::PATH");
  return parts;
}

}  // namespace limoe
