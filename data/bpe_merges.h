// CLIP's merges file: which two pieces of a word become one, in the order of their worth.
//
//   "bpe_simple_vocab_16e6.txt#version: 0.2      a first line that holds "#version:"
//   i n                                          two pieces and one blank between them; "</w>" ends a word
//
// Ids: 0..255 the bytes, 256..511 the bytes that end a word, 512.. the merges by line, then the start and the
// end of a text. The bytes are written as printable characters and numbered in that order: ! to ~, U+00A1 to
// U+00AC, U+00AE to U+00FF as themselves, then the 68 others, written U+0100, U+0101, ... (Radford et al.
// 2019, section 2.2, in OpenAI's encoding). Only the first 48,894 merges count, as in CLIP, whose vocabulary
// is 49,408.
//
// The file may be gzipped. Strict: each part of a merge must be a byte or made by an earlier line, no piece
// may be made twice, and no merge may hold a blank's byte (those of GPT-2 do: another tokenizer). FileError
// names the line. A gzipped file is decompressed no further than those lines.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace limoe {

struct BpeMerge {
  int32_t left, right;  // ids; line i of the merges makes id 512 + i
};

inline constexpr int32_t kFirstMerge = 512;
inline constexpr int64_t kMostMerges = 48894;
inline constexpr const char* kEndOfWord = "</w>";

// Whether the content, gzipped or not, begins as a merges file does.
bool is_bpe_merges(const std::string& content);

// `path` is for messages.
std::vector<BpeMerge> parse_bpe_merges(const std::string& path, const std::string& content);
std::string write_bpe_merges(const std::vector<BpeMerge>& merges);  // as parse_bpe_merges() reads it

// The bytes that each id stands for; ids that end a word end with kEndOfWord.
std::vector<std::string> bpe_pieces(const std::vector<BpeMerge>& merges);

// The id of every byte inside a word.
const std::vector<int32_t>& bpe_byte_ids();

}  // namespace limoe
