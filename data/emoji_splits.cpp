// Stratified choice of held-out concepts, and greedy choice of held-out combinations.
#include "data/emoji_splits.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "data/stable_hash.h"
#include "tensor/error.h"

namespace limoe {
namespace {

// Seats in proportion to sizes by largest remainder, never more than half of a size. A tie goes to the
// earlier one.
std::vector<int> apportion(const std::vector<int>& sizes, int seats) {
  int total = std::accumulate(sizes.begin(), sizes.end(), 0);
  std::vector<int> shares(sizes.size(), 0);
  std::vector<std::pair<double, size_t>> order;
  for (size_t i = 0; i < sizes.size(); ++i) {
    double exact = total == 0 ? 0.0 : static_cast<double>(seats) * sizes[i] / total;
    shares[i] = std::min(static_cast<int>(exact), sizes[i] / 2);
    order.emplace_back(shares[i] - exact, i);
  }
  std::sort(order.begin(), order.end());
  int left = seats - std::accumulate(shares.begin(), shares.end(), 0);
  for (bool moved = true; left > 0 && moved;) {
    moved = false;
    for (const auto& [remainder, i] : order)
      if (left > 0 && shares[i] < sizes[i] / 2) ++shares[i], --left, moved = true;
  }
  return shares;
}

// Concepts by subgroup and subgroups by group, in the order of the emoji list.
struct Stratum {
  std::string name;
  std::vector<std::string> concepts;
};

struct Group {
  std::string name;
  std::vector<Stratum> subgroups;
};

std::vector<Group> stratify(const std::vector<Emoji>& all, const std::vector<EmojiVariant>& variants) {
  std::vector<Group> groups;
  for (size_t i = 0; i < all.size(); ++i) {
    if (!variants[i].representative) continue;
    if (groups.empty() || groups.back().name != all[i].group) groups.push_back({all[i].group, {}});
    std::vector<Stratum>& subgroups = groups.back().subgroups;
    if (subgroups.empty() || subgroups.back().name != all[i].subgroup)
      subgroups.push_back({all[i].subgroup, {}});
    subgroups.back().concepts.push_back(variants[i].concept_name);
  }
  return groups;
}

std::set<std::string> choose_concepts(const std::vector<Group>& groups, uint64_t seed) {
  std::vector<int> group_sizes;
  std::vector<std::vector<int>> sizes;
  for (const Group& group : groups) {
    sizes.emplace_back();
    for (const Stratum& subgroup : group.subgroups)
      sizes.back().push_back(static_cast<int>(subgroup.concepts.size()));
    group_sizes.push_back(std::accumulate(sizes.back().begin(), sizes.back().end(), 0));
  }
  std::vector<int> seats = apportion(group_sizes, kHeldoutConcepts);

  std::set<std::string> chosen;
  for (size_t g = 0; g < groups.size(); ++g) {
    std::vector<int> shares = apportion(sizes[g], seats[g]);
    for (size_t s = 0; s < shares.size(); ++s) {
      std::vector<std::string> concepts = groups[g].subgroups[s].concepts;
      std::sort(concepts.begin(), concepts.end(), [&](const std::string& a, const std::string& b) {
        return stable_hash(a, seed) < stable_hash(b, seed);
      });
      chosen.insert(concepts.begin(), concepts.begin() + shares[s]);
    }
  }
  return chosen;
}

// How often each part and pair of parts still occurs in training.
class Partners {
 public:
  void change(const EmojiVariant& v, int by) {
    concept_gender_[{v.concept_name, v.gender}] += by;
    concept_tone_[{v.concept_name, v.tone}] += by;
    tone_gender_[{v.tone, v.gender}] += by;
  }

  // Whether every pair of this variant's parts would still be seen without it.
  bool seen_without(const EmojiVariant& v) const {
    return concept_gender_.at({v.concept_name, v.gender}) > 1 &&
           (v.gender.empty() || concept_tone_.at({v.concept_name, v.tone}) > 1) &&
           tone_gender_.at({v.tone, v.gender}) > 1;
  }

 private:
  using Counts = std::map<std::pair<std::string, std::string>, int>;
  Counts concept_gender_, concept_tone_, tone_gender_;
};

bool is_one_part(const std::string& words) {
  return words.find(',') == std::string::npos;
}

// Noto draws the snowboarder in full gear, the same in every tone.
constexpr const char32_t* kToneless = U"\U0001f3c2";

// One tone, no hair, at most one person: a combination whose parts can be named and seen.
bool is_simple(const EmojiVariant& v) {
  return v.base != kToneless && !v.tone.empty() && v.hair.empty() && is_one_part(v.tone) &&
         is_one_part(v.gender);
}

constexpr int kMaxPerConcept = 2;

void hold_out_combinations(const std::vector<Emoji>& all, const std::vector<EmojiVariant>& variants,
                           uint64_t seed, std::vector<EmojiSplit>& splits) {
  Partners partners;
  std::vector<size_t> candidates;
  for (size_t i = 0; i < all.size(); ++i) {
    if (splits[i] != EmojiSplit::kTrain) continue;
    partners.change(variants[i], 1);
    if (is_simple(variants[i])) candidates.push_back(i);
  }
  std::sort(candidates.begin(), candidates.end(), [&](size_t a, size_t b) {
    return stable_hash(all[a].text, seed) < stable_hash(all[b].text, seed);
  });
  int gendered = kHeldoutGenderedCombinations, toned = kHeldoutTonedCombinations;
  std::map<std::string, int> taken;
  for (size_t i : candidates) {
    const EmojiVariant& variant = variants[i];
    int& left = variant.gender.empty() ? toned : gendered;
    if (left == 0 || taken[variant.concept_name] == kMaxPerConcept || !partners.seen_without(variant))
      continue;
    splits[i] = EmojiSplit::kHeldoutCombinations;
    partners.change(variant, -1);
    ++taken[variant.concept_name];
    --left;
  }
}

}  // namespace

std::vector<EmojiSplit> split_emoji(const std::vector<Emoji>& all, const std::vector<EmojiVariant>& variants,
                                    uint64_t seed) {
  if (all.size() != variants.size())
    throw ValueError("split_emoji: variants has ", variants.size(), " entries; expected ", all.size());
  std::set<std::string> held_out = choose_concepts(stratify(all, variants), seed);
  std::vector<EmojiSplit> splits(all.size(), EmojiSplit::kTrain);
  for (size_t i = 0; i < all.size(); ++i)
    if (held_out.contains(variants[i].concept_name)) splits[i] = EmojiSplit::kHeldoutConcepts;
  hold_out_combinations(all, variants, seed, splits);
  return splits;
}

}  // namespace limoe
