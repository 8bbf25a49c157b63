// Folding of emoji into concepts, by code points (UTS #51, "Unicode Emoji", sections 1.4 and 2).
#include "data/emoji_concepts.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <span>
#include <string_view>
#include <tuple>

namespace limoe {
namespace {

constexpr char32_t kJoiner = 0x200d, kPictureStyle = 0xfe0f;
constexpr char32_t kFemaleSign = 0x2640, kMaleSign = 0x2642;
constexpr char32_t kHeart = 0x2764, kKissMark = 0x1f48b, kHandshake = 0x1f91d, kRightwardsHand = 0x1faf1,
                   kLeftwardsHand = 0x1faf2;
constexpr char32_t kChristmasTree = 0x1f384;
constexpr char32_t kPerson = 0x1f9d1, kKiss = 0x1f48f, kCoupleWithHeart = 0x1f491, kFamily = 0x1f46a;
constexpr char32_t kPairHoldingHands = 0x1f46b, kClaus = 0x1f385;

struct Word {
  char32_t codepoint;
  const char* text;
};

constexpr Word kTones[] = {{0x1f3fb, "light skin tone"},
                           {0x1f3fc, "medium-light skin tone"},
                           {0x1f3fd, "medium skin tone"},
                           {0x1f3fe, "medium-dark skin tone"},
                           {0x1f3ff, "dark skin tone"}};

constexpr Word kHair[] = {{0x1f9b0, "red hair"},
                          {0x1f9b1, "curly hair"},
                          {0x1f9b3, "white hair"},
                          {0x1f9b2, "bald"},
                          {0x1f471, "blond hair"}};

// Members of a family or couple, by their own name.
constexpr Word kMembers[] = {{0x1f468, "man"}, {0x1f469, "woman"}, {kPerson, "person"},
                             {0x1f466, "boy"}, {0x1f467, "girl"},  {0x1f9d2, "child"}};

// Emoji that are one concept with another although their code points share nothing.
struct Fold {
  char32_t codepoint;
  char32_t base;
  const char* gender;
};

constexpr Fold kFolds[] = {
    {0x1f468, kPerson, "man"},
    {0x1f469, kPerson, "woman"},
    {kPerson, kPerson, "person"},
    {0x1f471, kPerson, "person"},
    {0x1f474, 0x1f9d3, "man"},
    {0x1f475, 0x1f9d3, "woman"},
    {0x1f9d3, 0x1f9d3, "person"},
    {0x1f466, 0x1f9d2, "man"},
    {0x1f467, 0x1f9d2, "woman"},
    {0x1f9d2, 0x1f9d2, "person"},
    {0x1f934, 0x1fac5, "man"},
    {0x1f478, 0x1fac5, "woman"},
    {0x1fac5, 0x1fac5, "person"},
    {kClaus, kClaus, "man"},
    {0x1f936, kClaus, "woman"},
    {0x1f930, 0x1fac4, "woman"},
    {0x1fac3, 0x1fac4, "man"},
    {0x1fac4, 0x1fac4, "person"},
    {0x1f57a, 0x1f483, "man"},
    {0x1f483, 0x1f483, "woman"},
    {0x1f46c, kPairHoldingHands, "man, man"},
    {0x1f46d, kPairHoldingHands, "woman, woman"},
    {kPairHoldingHands, kPairHoldingHands, "woman, man"},
};

// Territories whose flag is drawn exactly as another's, found by comparing the font's pictures.
constexpr std::pair<const char*, const char*> kSameFlags[] = {{"BV", "NO"}, {"SJ", "NO"}, {"CP", "FR"},
                                                              {"MF", "FR"}, {"HM", "AU"}, {"UM", "US"},
                                                              {"DG", "IO"}, {"EA", "ES"}};

const char* find_word(std::span<const Word> words, char32_t codepoint) {
  for (const Word& word : words)
    if (word.codepoint == codepoint) return word.text;
  return nullptr;
}

void append_word(std::string& list, std::string_view word) {
  if (!list.empty()) list += ", ";
  list += word;
}

bool contains(const std::u32string& text, char32_t codepoint) {
  return text.find(codepoint) != text.npos;
}

// Two regional indicators spell a territory's code.
std::u32string flag(std::string_view territory) {
  std::u32string letters;
  for (char c : territory) letters += U'\U0001f1e6' + static_cast<char32_t>(c - 'A');
  return letters;
}

std::u32string take_tones(const std::u32string& codepoints, std::string& tone) {
  std::u32string rest;
  for (char32_t c : codepoints) {
    const char* word = find_word(kTones, c);
    if (word != nullptr) append_word(tone, word);
    if (word == nullptr && c != kPictureStyle) rest += c;
  }
  return rest;
}

// Sequences that join several people; 0 for any other.
char32_t group_of_people(const std::u32string& sequence, int members) {
  if (members < 2) return 0;
  if (contains(sequence, kKissMark)) return kKiss;
  if (contains(sequence, kHeart)) return kCoupleWithHeart;
  if (contains(sequence, kHandshake)) return kPairHoldingHands;
  return kFamily;
}

// Fills gender from the people in the sequence; "person, person" says no more than "person".
char32_t take_people(const std::u32string& sequence, std::string& gender) {
  std::string people;
  int members = 0, persons = 0;
  for (char32_t c : sequence)
    if (const char* word = find_word(kMembers, c)) {
      append_word(people, word);
      ++members;
      persons += c == kPerson;
    }
  char32_t base = group_of_people(sequence, members);
  if (base != 0) gender = persons == members ? "person" : people;
  return base;
}

// Drops joined gender signs and hair.
std::u32string take_parts(const std::u32string& sequence, EmojiVariant& variant) {
  std::u32string rest;
  for (size_t at = 0; at < sequence.size();) {
    size_t end = std::min(sequence.find(kJoiner, at), sequence.size());
    std::u32string part = sequence.substr(at, end - at);
    bool joined = at > 0 && part.size() == 1;
    const char* hair = joined ? find_word(kHair, part[0]) : nullptr;
    bool sign = joined && (part[0] == kFemaleSign || part[0] == kMaleSign);
    if (hair != nullptr) variant.hair = hair;
    if (sign) variant.gender = part[0] == kFemaleSign ? "woman" : "man";
    if (hair == nullptr && !sign)
      rest += (rest.empty() ? std::u32string() : std::u32string(1, kJoiner)) + part;
    at = end + 1;
  }
  return rest;
}

std::u32string fold(std::u32string base, EmojiVariant& variant) {
  for (const Fold& entry : kFolds)
    if (entry.codepoint == base[0]) {
      if (const char* hair = find_word(kHair, base[0])) variant.hair = hair;
      if (variant.gender.empty()) variant.gender = entry.gender;
      base[0] = entry.base;
      break;
    }
  if (base == std::u32string{kPerson, kJoiner, kChristmasTree}) return {kClaus};
  if (base == std::u32string{kRightwardsHand, kJoiner, kLeftwardsHand}) return {kHandshake};
  for (const auto& [territory, same_as] : kSameFlags)
    if (base == flag(territory)) return flag(same_as);
  return base;
}

EmojiVariant describe(const Emoji& emoji) {
  EmojiVariant variant;
  std::u32string sequence = take_tones(emoji.codepoints, variant.tone);
  char32_t people = take_people(sequence, variant.gender);
  variant.base = people != 0 ? std::u32string(1, people) : fold(take_parts(sequence, variant), variant);
  return variant;
}

// Smaller is more typical of its concept.
std::tuple<bool, bool, bool, bool> distance_from_typical(const Emoji& emoji, const EmojiVariant& variant) {
  std::u32string plain = emoji.codepoints;
  std::erase(plain, kPictureStyle);
  bool neutral = variant.gender.empty() || variant.gender == "person";
  return {!variant.tone.empty(), !variant.hair.empty(), !neutral, plain != variant.base};
}

}  // namespace

std::vector<EmojiVariant> find_emoji_variants(const std::vector<Emoji>& all) {
  std::vector<EmojiVariant> variants;
  std::map<std::u32string, std::vector<size_t>> concepts;
  for (const Emoji& emoji : all) {
    variants.push_back(describe(emoji));
    concepts[variants.back().base].push_back(variants.size() - 1);
  }
  for (const auto& [base, members] : concepts) {
    size_t typical = *std::min_element(members.begin(), members.end(), [&](size_t a, size_t b) {
      return distance_from_typical(all[a], variants[a]) < distance_from_typical(all[b], variants[b]);
    });
    variants[typical].representative = true;
    bool gendered =
        std::any_of(members.begin(), members.end(), [&](size_t i) { return !variants[i].gender.empty(); });
    for (size_t i : members) {
      variants[i].concept_name = lower_ascii(all[typical].english.name);
      if (gendered && variants[i].gender.empty()) variants[i].gender = "person";
    }
  }
  return variants;
}

}  // namespace limoe
