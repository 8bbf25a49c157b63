#include "data/bpe_tokenizer.h"

#include <functional>
#include <queue>
#include <unordered_map>
#include <utility>

#include "data/bpe_merges.h"
#include "data/bpe_text.h"
#include "data/tokenizer_file.h"
#include "data/unicode_classes.h"
#include "tensor/error.h"

namespace limoe {
namespace {

constexpr int32_t kEndingByte = 256;  // added to a byte's id where it ends a word
constexpr int32_t kNone = -1;

uint64_t pair_key(int32_t left, int32_t right) {
  return uint64_t(uint32_t(left)) << 32 | uint32_t(right);
}

// The pieces of one word as a list in which neighbours are joined.
//
// A merge's parts are made by earlier lines, so what a merge makes can only be joined by later ones: taking
// the earliest merge, leftmost first, from a heap joins all places of one merge before those of the next.
class Word {
 public:
  Word(std::string_view bytes, const std::unordered_map<uint64_t, int32_t>& merged) : merged_(merged) {
    const int32_t count = static_cast<int32_t>(bytes.size());
    for (int32_t i = 0; i < count; ++i)
      pieces_.push_back({bpe_byte_ids()[static_cast<unsigned char>(bytes[size_t(i)])], i - 1, i + 1});
    pieces_.back().id += kEndingByte;
    pieces_.back().next = kNone;
    for (int32_t i = 0; i + 1 < count; ++i) consider(i);
  }

  void append_ids(std::vector<int32_t>& ids) {
    while (!candidates_.empty()) {
      const auto [id, left] = candidates_.top();
      candidates_.pop();
      if (joined(left) == id) join(left, id);
    }
    for (int32_t i = 0; i != kNone; i = pieces_[size_t(i)].next) ids.push_back(pieces_[size_t(i)].id);
  }

 private:
  struct Piece {
    int32_t id, previous, next;  // id kNone: joined to the one before it
  };
  using Candidate = std::pair<int32_t, int32_t>;  // what would be made, and where its left part is

  // What the piece and the next one make; kNone for nothing.
  int32_t joined(int32_t left) const {
    const Piece& piece = pieces_[size_t(left)];
    if (piece.id == kNone || piece.next == kNone) return kNone;
    const auto found = merged_.find(pair_key(piece.id, pieces_[size_t(piece.next)].id));
    return found == merged_.end() ? kNone : found->second;
  }

  void consider(int32_t left) {
    if (const int32_t id = joined(left); id != kNone) candidates_.push({id, left});
  }

  void join(int32_t left, int32_t id) {
    Piece& piece = pieces_[size_t(left)];
    Piece& right = pieces_[size_t(piece.next)];
    piece.id = id;
    piece.next = right.next;
    right.id = kNone;
    if (piece.next != kNone) pieces_[size_t(piece.next)].previous = left;
    consider(left);
    if (piece.previous != kNone) consider(piece.previous);
  }

  const std::unordered_map<uint64_t, int32_t>& merged_;
  std::vector<Piece> pieces_;
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates_;
};

// Bytes that are no character of their own, as <0xE2>.
std::string readable(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string text;
  while (!bytes.empty()) {
    const Character c = first_character(bytes);
    if (c.value == kNoCharacter || c.value < 0x20) {
      const unsigned char byte = static_cast<unsigned char>(bytes[0]);
      text += std::string("<0x") + kDigits[byte / 16] + kDigits[byte % 16] + '>';
    } else {
      text += bytes.substr(0, c.bytes);
    }
    bytes.remove_prefix(c.bytes);
  }
  return text;
}

class BpeTokenizer final : public Tokenizer {
 public:
  explicit BpeTokenizer(std::vector<BpeMerge> merges)
      : merges_(std::move(merges)), pieces_(bpe_pieces(merges_)) {
    for (size_t i = 0; i < merges_.size(); ++i)
      merged_[pair_key(merges_[i].left, merges_[i].right)] = kFirstMerge + int32_t(i);
  }

  std::vector<int32_t> encode(std::string_view text) const override {
    std::vector<int32_t> ids{start_id()};
    const std::string cleaned = clean_for_bpe(text);
    for (const std::string_view word : split_for_bpe(cleaned)) Word(word, merged_).append_ids(ids);
    return ids;
  }

  int32_t vocab_size() const override { return start_id() + 2; }
  int32_t eos_id() const override { return start_id() + 1; }
  int32_t pad_id() const override { return 0; }  // also the piece "!": only the count of valid tokens tells
  int32_t leading_ids() const override { return 1; }
  bool lowers_case() const override { return true; }
  PieceRange text_pieces() const override { return {0, start_id()}; }
  std::string kind() const override { return "bpe"; }

  std::string piece(int32_t id) const override {
    if (id < 0 || id >= vocab_size())
      throw ValueError("bpe: piece id is ", id, "; expected 0..", vocab_size() - 1);
    if (id >= start_id()) return id == start_id() ? "<|startoftext|>" : "<|endoftext|>";
    return readable(pieces_[size_t(id)]);
  }

  void save(const std::filesystem::path& path) const override {
    write_tokenizer_file(path, write_bpe_merges(merges_));
  }

 private:
  int32_t start_id() const { return kFirstMerge + static_cast<int32_t>(merges_.size()); }

  std::vector<BpeMerge> merges_;
  std::vector<std::string> pieces_;
  std::unordered_map<uint64_t, int32_t> merged_;  // two ids -> what they make
};

}  // namespace

std::unique_ptr<Tokenizer> parse_bpe(const std::string& path, const std::string& content) {
  return std::make_unique<BpeTokenizer>(parse_bpe_merges(path, content));
}

}  // namespace limoe
