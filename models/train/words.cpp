#include "models/train/words.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace limoe {
namespace {

constexpr std::string_view kWordBegins = "\xE2\x96\x81";  // U+2581
constexpr std::string_view kWordEnds = "</w>";
constexpr std::array<std::string_view, 6> kSpecial = {"</s>",  "<s>",           "<unk>",
                                                      "<pad>", "<|endoftext|>", "<|startoftext|>"};

int hex_digit(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

// "<0x41>" -> 0x41; -1 for any other piece.
int raw_byte(std::string_view piece) {
  if (piece.size() != 6 || !piece.starts_with("<0x") || piece[5] != '>') return -1;
  const int high = hex_digit(piece[3]), low = hex_digit(piece[4]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

struct Piece {
  std::string text;
  bool begins = false, ends = false;  // a word
};

Piece read_piece(std::string_view piece) {
  if (const int byte = raw_byte(piece); byte >= 0) {
    const bool space = byte == ' ' || (byte >= '\t' && byte <= '\r');
    return space ? Piece{"", true, false} : Piece{std::string(1, char(byte)), false, false};
  }
  Piece read;
  read.begins = piece.starts_with(kWordBegins);
  if (read.begins) piece.remove_prefix(kWordBegins.size());
  read.ends = piece.size() > kWordEnds.size() && piece.ends_with(kWordEnds);
  if (read.ends) piece.remove_suffix(kWordEnds.size());
  read.text = piece;
  return read;
}

}  // namespace

std::vector<Word> words_of(const std::vector<std::string>& pieces) {
  std::vector<Word> words;
  bool open = false;  // the last word goes on
  const auto begin_word = [&](size_t at) {
    words.push_back({.text = "", .first = int64_t(at), .count = 0, .special = false});
  };
  const auto close_spaces = [&] {  // a last word without letters goes to the one before
    if (!open || words.size() < 2 || !words.back().text.empty()) return;
    words[words.size() - 2].count += words.back().count;
    words.pop_back();
  };
  for (size_t at = 0; at < pieces.size(); ++at) {
    if (std::find(kSpecial.begin(), kSpecial.end(), pieces[at]) != kSpecial.end()) {
      close_spaces();
      words.push_back({.text = pieces[at], .first = int64_t(at), .count = 1, .special = true});
      open = false;
      continue;
    }
    const Piece piece = read_piece(pieces[at]);
    if (!open || (piece.begins && !words.back().text.empty())) begin_word(at);
    words.back().text += piece.text;
    ++words.back().count;
    open = !piece.ends;
  }
  close_spaces();
  return words;
}

}  // namespace limoe
