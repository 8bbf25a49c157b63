#include "data/sentencepiece_charsmap.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

namespace limoe {
namespace {

constexpr int kLongestPath = 256;
constexpr int kMostEnds = 32;  // the library keeps room for so many
constexpr uint32_t kValue = uint32_t{1} << 31;

struct Unit {
  uint32_t bits;
  uint32_t offset() const { return (bits >> 10) << ((bits & 0x200) >> 6); }
  bool ends_here() const { return (bits >> 8 & 1) != 0; }
  uint32_t label() const { return bits & (kValue | 0xff); }
};

class Trie {
 public:
  Trie(std::string_view units, std::size_t replacements)
      : units_(units.size() / sizeof(uint32_t)),
        most_ends_(units_.size(), kUnknown),
        replacements_(replacements) {
    if (!units_.empty()) std::memcpy(units_.data(), units.data(), units_.size() * sizeof(uint32_t));
  }

  std::string_view fault() {
    if (units_.empty()) return "has no trie";
    most_ends_from(units_[0].offset(), 0);
    return fault_;
  }

 private:
  static constexpr int16_t kUnknown = -1, kUnderWay = -2;

  // Of the replaced strings that end along one path on from the state; 0 once there is a fault.
  int most_ends_from(uint32_t state, int depth) {
    if ((state | 0xff) >= units_.size()) return fail("leads outside of its trie");
    if (depth > kLongestPath) return fail("has a string of more than 256 bytes");
    if (most_ends_[state] == kUnderWay) return fail("goes round in its trie");
    if (most_ends_[state] != kUnknown) return most_ends_[state];
    most_ends_[state] = kUnderWay;
    int most = 0;
    for (uint32_t byte = 0; byte < 256 && fault_.empty(); ++byte) {
      const uint32_t index = state ^ byte;
      const Unit unit = units_[index];
      if (unit.label() != byte) continue;
      const uint32_t next = index ^ unit.offset();
      most = std::max(most, most_ends_from(next, depth + 1) + check_end(unit, next));
    }
    if (most > kMostEnds) return fail("has more than 32 strings inside one another");
    most_ends_[state] = static_cast<int16_t>(most);
    return most;
  }

  int check_end(Unit unit, uint32_t state) {
    if (!unit.ends_here() || !fault_.empty()) return 0;
    if ((units_[state].bits & ~kValue) >= replacements_) return fail("has a value without a replacement");
    return 1;
  }

  int fail(std::string_view fault) {
    fault_ = fault;
    return 0;
  }

  std::vector<Unit> units_;
  std::vector<int16_t> most_ends_;  // by state
  const std::size_t replacements_;
  std::string_view fault_;
};

}  // namespace

std::string_view charsmap_fault(std::string_view charsmap) {
  uint32_t trie_bytes = 0;
  if (charsmap.size() < sizeof trie_bytes) return "has no length";
  std::memcpy(&trie_bytes, charsmap.data(), sizeof trie_bytes);
  charsmap.remove_prefix(sizeof trie_bytes);
  if (trie_bytes > charsmap.size() || trie_bytes % sizeof(uint32_t) != 0)
    return "has a trie of another length";
  const std::string_view replacements = charsmap.substr(trie_bytes);
  if (!replacements.ends_with('\0')) return "has replacements without an end";
  return Trie(charsmap.substr(0, trie_bytes), replacements.size()).fault();
}

}  // namespace limoe
