// CLIP's tokenizer: byte-level BPE on words (Sennrich et al. 2016, as in Radford et al. 2021).
//
//   text -> cleaned and cut into words (bpe_text.h) -> each word's bytes, the last one as the end of a word
//   -> again and again the two neighbours that the earliest merge joins, leftmost first -> ids (bpe_merges.h)
//
// encode() begins with the id of the start of a text; with the EOS, and 0 for padding, that tokenize() adds,
// a row is what CLIP's own tokenizer gives: 49406 p1 .. pn 49407 0 .. 0 for its own merges. Linear in the
// length of the text but for a logarithm.
#pragma once

#include <memory>
#include <string>

#include "data/tokenizer.h"

namespace limoe {

// `path` is for messages; `content` a merges file, gzipped or not. Throws FileError.
std::unique_ptr<Tokenizer> parse_bpe(const std::string& path, const std::string& content);

}  // namespace limoe
