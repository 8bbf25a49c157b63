#include "data/tokenizer.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "data/bpe_merges.h"
#include "data/bpe_tokenizer.h"
#include "data/gunzip.h"
#include "data/lower_case.h"
#include "data/tokenizer_file.h"
#include "tensor/error.h"

namespace limoe {

std::unique_ptr<Tokenizer> load_tokenizer(const std::string& source) {
  if (source == "bytes") return make_byte_tokenizer();
  const std::string content = read_tokenizer_file(source);
  if (content == kByteTokenizerFile) return make_byte_tokenizer();
  if (is_bpe_merges(content)) return parse_bpe(source, content);
  if (is_gzip(content) || source.ends_with(".txt"))
    throw FileError(source,
                    ": has no first line with \"#version:\"; expected a merges file of CLIP, or a "
                    "SentencePiece .model");
  return parse_sentencepiece(source, content);
}

std::string prepared_text(std::string_view text, const TextOptions& options) {
  std::string prepared = options.lower_case ? lower_case(text) : std::string(text);
  if (options.punctuation) return prepared;
  for (char& letter : prepared)
    if (static_cast<uint8_t>(letter) < 0x80 && std::ispunct(static_cast<uint8_t>(letter)) != 0) letter = ' ';
  return prepared;
}

TextIds tokenize(const Tokenizer& tokenizer, std::string_view text, const TextOptions& options) {
  if (options.max_len < 1)
    throw ValueError("tokenize: max_len is ", options.max_len,
                     "; expected 1 or more, because the EOS needs a place");
  const int32_t pad_id = options.pad_id.value_or(tokenizer.pad_id());
  if (pad_id < 0 || pad_id >= tokenizer.vocab_size())
    throw ValueError("tokenize: pad_id is ", pad_id, "; expected 0..", tokenizer.vocab_size() - 1);

  TextOptions left_to_do = options;
  left_to_do.lower_case = options.lower_case && !tokenizer.lowers_case();
  std::vector<int32_t> ids = tokenizer.encode(prepared_text(text, left_to_do));
  const std::size_t length = static_cast<std::size_t>(options.max_len);
  ids.resize(std::min(ids.size(), length - 1));
  ids.push_back(tokenizer.eos_id());
  const int32_t valid = static_cast<int32_t>(ids.size());
  ids.resize(length, pad_id);
  return {std::move(ids), valid};
}

}  // namespace limoe
