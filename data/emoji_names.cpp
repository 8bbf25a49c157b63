// Parsers of emoji-test.txt and CLDR annotations, and the caption made of them.
#include "data/emoji_names.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <unordered_map>
#include <utility>

#include "tensor/error.h"

namespace limoe {
namespace {

std::string read_whole(const std::string& path, const char* package) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf()))
    throw FileError(path, ": cannot be read; it comes with Debian's package ", package, " (apt install ",
                    package, ")");
  return text.str();
}

std::string_view trim(std::string_view text) {
  constexpr const char* kBlanks = " \t\r\n";
  size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::u32string parse_codepoints(std::string_view field, const std::string& path, int64_t line) {
  std::istringstream words{std::string(field)};
  std::u32string codepoints;
  uint32_t value = 0;
  while (words >> std::hex >> value) codepoints.push_back(value);
  if (!words.eof() || codepoints.empty() || value > 0x10ffff)
    throw FileError(path, ": line ", line, ": code points are '", field, "'; expected hexadecimal numbers");
  return codepoints;
}

// "1F600 ; fully-qualified # <emoji> E1.0 grinning face", the name being what follows the version.
Emoji parse_emoji_line(std::string_view line, const std::string& path, int64_t number) {
  size_t version = line.find(" E", line.find('#'));
  size_t name = version == std::string_view::npos ? version : line.find(' ', version + 1);
  if (name == std::string_view::npos)
    throw FileError(path, ": line ", number, ": has no '# <emoji> E<version> <name>'");
  Emoji emoji;
  emoji.codepoints = parse_codepoints(trim(line.substr(0, line.find(';'))), path, number);
  emoji.text = to_utf8(emoji.codepoints);
  emoji.english.name = std::string(trim(line.substr(name)));
  return emoji;
}

std::vector<Emoji> parse_emoji_test(const std::string& path) {
  std::istringstream file(read_whole(path, "unicode-data"));
  std::vector<Emoji> all;
  std::string line, group, subgroup;
  for (int64_t number = 1; std::getline(file, line); ++number) {
    if (line.starts_with("# group:")) group = trim(std::string_view(line).substr(8));
    if (line.starts_with("# subgroup:")) subgroup = trim(std::string_view(line).substr(11));
    if (line.starts_with("#") || line.find("; fully-qualified") == std::string::npos) continue;
    Emoji emoji = parse_emoji_line(line, path, number);
    emoji.group = group;
    emoji.subgroup = subgroup;
    all.push_back(std::move(emoji));
  }
  if (all.empty()) throw FileError(path, ": has no fully-qualified emoji; expected Unicode's emoji-test.txt");
  return all;
}

std::string unescape_xml(std::string_view text) {
  static constexpr std::pair<std::string_view, char> kEntities[] = {
      {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}, {"&amp;", '&'}};
  std::string out;
  while (!text.empty()) {
    const auto* entity = std::find_if(std::begin(kEntities), std::end(kEntities),
                                      [&](const auto& e) { return text.starts_with(e.first); });
    bool found = entity != std::end(kEntities);
    out += found ? entity->second : text[0];
    text.remove_prefix(found ? entity->first.size() : 1);
  }
  return out;
}

std::vector<std::string> split_keywords(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    size_t bar = std::min(text.find('|'), text.size());
    std::string_view word = trim(text.substr(0, bar));
    if (!word.empty()) words.emplace_back(word);
    text.remove_prefix(std::min(bar + 1, text.size()));
  }
  return words;
}

using Annotations = std::unordered_map<std::string, EmojiWords>;

constexpr std::string_view kInherited = "↑↑↑";  // CLDR: look in the parent language

// <annotation cp="X">word | word</annotation> and <annotation cp="X" type="tts">name</annotation>.
void parse_annotations(const std::string& path, Annotations& words) {
  std::string text = read_whole(path, "unicode-cldr-core");
  constexpr std::string_view kOpen = "<annotation cp=\"", kClose = "</annotation>";
  for (size_t at = text.find(kOpen); at != std::string::npos; at = text.find(kOpen, at)) {
    size_t key = at + kOpen.size(), key_end = text.find('"', key);
    size_t tag_end = key_end == std::string::npos ? key_end : text.find('>', key_end);
    size_t end = tag_end == std::string::npos ? tag_end : text.find(kClose, tag_end);
    if (end == std::string::npos) throw FileError(path, ": at byte ", at, ": <annotation> is not closed");
    std::string value = unescape_xml(std::string_view(text).substr(tag_end + 1, end - tag_end - 1));
    bool is_name =
        std::string_view(text).substr(key_end, tag_end - key_end).find("tts") != std::string_view::npos;
    EmojiWords& entry = words[unescape_xml(std::string_view(text).substr(key, key_end - key))];
    if (value != kInherited && is_name) entry.name = value;
    if (value != kInherited && !is_name) entry.keywords = split_keywords(value);
    at = end;
  }
}

Annotations read_annotations(const std::string& folder, const std::string& language) {
  bool looks_right = !language.empty() && std::all_of(language.begin(), language.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '_';
  });
  std::string file = "/" + language + ".xml";
  bool installed = std::filesystem::exists(folder + "/annotations/en.xml");
  if (!looks_right || (installed && !std::filesystem::exists(folder + "/annotations" + file)))
    throw ValueError("emoji: languages has '", language,
                     "'; expected CLDR codes such as de, fr, pt_PT (the names of the files in ", folder,
                     "/annotations)");
  Annotations words;
  parse_annotations(folder + "/annotations" + file, words);
  if (std::filesystem::exists(folder + "/annotationsDerived" + file))
    parse_annotations(folder + "/annotationsDerived" + file, words);
  return words;
}

std::string cldr_key(std::u32string codepoints) {
  std::erase(codepoints, U'\ufe0f');
  return to_utf8(codepoints);
}

std::set<std::string> word_set(const std::string& text) {
  std::set<std::string> words;
  std::string word;
  for (char c : text + " ") {
    bool separator = c == ' ' || c == ',' || c == ':' || c == '-';
    if (!separator) word += c;
    if (separator && !word.empty()) words.insert(std::exchange(word, {}));
  }
  return words;
}

}  // namespace

std::string to_utf8(const std::u32string& codepoints) {
  std::string out;
  for (char32_t c : codepoints) {
    auto tail = [&](int shift) { out += static_cast<char>(0x80 | ((c >> shift) & 0x3f)); };
    if (c < 0x80) {
      out += static_cast<char>(c);
    } else if (c < 0x800) {
      out += static_cast<char>(0xc0 | (c >> 6)), tail(0);
    } else if (c < 0x10000) {
      out += static_cast<char>(0xe0 | (c >> 12)), tail(6), tail(0);
    } else {
      out += static_cast<char>(0xf0 | (c >> 18)), tail(12), tail(6), tail(0);
    }
  }
  return out;
}

std::string lower_ascii(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

std::string emoji_class_words(const std::string& group) {
  std::string words = lower_ascii(group);
  if (size_t at = words.find(" & "); at != std::string::npos) words.replace(at, 3, " and ");
  std::replace(words.begin(), words.end(), '-', ' ');
  return words;
}

std::vector<Emoji> read_emoji(const EmojiSources& sources, const std::vector<std::string>& languages) {
  std::vector<Emoji> all = parse_emoji_test(sources.test_file);
  Annotations english = read_annotations(sources.cldr_folder, "en");
  for (Emoji& emoji : all)
    if (auto found = english.find(cldr_key(emoji.codepoints)); found != english.end())
      emoji.english.keywords = found->second.keywords;
  for (const std::string& language : languages) {
    Annotations words = read_annotations(sources.cldr_folder, language);
    for (Emoji& emoji : all)
      if (auto found = words.find(cldr_key(emoji.codepoints));
          found != words.end() && !found->second.name.empty())
        emoji.languages[language] = found->second;
  }
  return all;
}

std::vector<std::string> emoji_phrases(const Emoji& emoji) {
  std::vector<std::string> parts = {emoji_class_words(emoji.subgroup), emoji_class_words(emoji.group)};
  parts.insert(parts.end(), emoji.english.keywords.begin(), emoji.english.keywords.end());
  std::set<std::string> said = word_set(lower_ascii(emoji.english.name));
  std::vector<std::string> phrases;
  for (const std::string& part : parts) {
    const std::string words = lower_ascii(part);
    const std::set<std::string> own = word_set(words);
    if (std::includes(said.begin(), said.end(), own.begin(), own.end())) continue;
    phrases.push_back(words);
    said.insert(own.begin(), own.end());
  }
  return phrases;
}

std::string emoji_caption(const Emoji& emoji) {
  std::string caption = lower_ascii(emoji.english.name);
  for (const std::string& phrase : emoji_phrases(emoji)) caption += ", " + phrase;
  return caption;
}

}  // namespace limoe
