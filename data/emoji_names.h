// The emoji of Unicode and what they are called: read from the Unicode Consortium's own files.
//
//   emoji-test.txt   Debian unicode-data: every sequence, its English name, group and subgroup. Only the
//   fully-qualified
//                    ones are taken (3,655 in Emoji 15.0).
//   annotations, annotationsDerived   Debian unicode-cldr-core: names and keywords in about 90 languages,
//   keyed by the
//                    sequence without U+FE0F. Emoji newer than the CLDR release have a name but no keywords.
//
// A file that is missing is one FileError with the package to install.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace limoe {

struct EmojiWords {
  std::string name;
  std::vector<std::string> keywords;
};

struct Emoji {
  std::u32string codepoints;
  std::string text;  // the same in UTF-8
  std::string group;
  std::string subgroup;
  EmojiWords english;
  std::map<std::string, EmojiWords> languages;  // by CLDR code, where CLDR has words
};

struct EmojiSources {
  std::string test_file = "/usr/share/unicode/emoji/emoji-test.txt";
  std::string cldr_folder = "/usr/share/unicode/cldr/common";
};

// All emoji in the order of emoji-test.txt. `languages` are CLDR codes besides English ("de", "pt_PT").
std::vector<Emoji> read_emoji(const EmojiSources& sources, const std::vector<std::string>& languages);

// What is said of an emoji besides its name: the words of its subgroup, those of its group, then the
// keywords, each only where it adds a word. "ant": "animal bug", "animals and nature", "insect". Lower case.
std::vector<std::string> emoji_phrases(const Emoji& emoji);

// The name and the phrases: "ant, animal bug, animals and nature, insect". A limit on tokens cuts what
// matters least.
std::string emoji_caption(const Emoji& emoji);

// "Smileys & Emotion" -> "smileys and emotion"; "face-smiling" -> "face smiling".
std::string emoji_class_words(const std::string& group);

std::string to_utf8(const std::u32string& codepoints);

// Only A-Z: emoji names in English need no more.
std::string lower_ascii(std::string text);

}  // namespace limoe
