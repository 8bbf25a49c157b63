// Tokenizer pieces put together to the words a reader knows.
//
// SentencePiece marks the beginning of a word with U+2581, byte-pair encodings its end with "</w>", and raw
// bytes are pieces "<0xHH>"; a space, marked or raw, ends a word. The end of a text ("</s>") and pieces that
// stand for nothing written ("<unk>", "<pad>") are words of their own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace limoe {

struct Word {
  std::string text;      // without marks and spaces
  int64_t first = 0;     // of its pieces
  int64_t count = 0;     // pieces
  bool special = false;  // "</s>", "<unk>", "<pad>": nothing that was written
};

// Every piece belongs to exactly one word, in order. A word of spaces alone is joined to the next one, at the
// end of the text to the one before.
std::vector<Word> words_of(const std::vector<std::string>& pieces);

}  // namespace limoe
