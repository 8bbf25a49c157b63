// From a caption to token ids.
//
// A Tokenizer cuts text into pieces; tokenize() makes of them the fixed row of ids that the text tower reads:
//
//   n < L pieces   p1 .. pn  EOS  PAD .. PAD   valid = n + 1
//   n >= L         p1 .. p(L-1)  EOS           valid = L       ("sticky" EOS: it is always there)
//
// Three kinds: bytes (needs nothing, any language, long rows), SentencePiece (a unigram model trained from
// captions, or any `.model` file) and BPE (CLIP's merges file, bpe_tokenizer.h). Errors: FileError for a file
// that is no tokenizer, ValueError for settings out of range.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace limoe {

// Ids first .. end - 1.
struct PieceRange {
  int32_t first, end;
};

// Every method is const and safe to call from several threads at once.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  virtual std::vector<int32_t> encode(std::string_view text) const = 0;  // pieces only: no EOS, no padding
  virtual int32_t vocab_size() const = 0;
  virtual int32_t eos_id() const = 0;
  virtual int32_t pad_id() const = 0;               // the EOS id where the vocabulary has no padding piece
  virtual std::string piece(int32_t id) const = 0;  // for people to read; ValueError when id is out of range
  virtual std::string kind() const = 0;             // "bytes", "sentencepiece" or "bpe"
  virtual void save(const std::filesystem::path& path) const = 0;  // load_tokenizer() reads it back

  virtual int32_t leading_ids() const { return 0; }   // at the start of encode(), and no pieces of the text
  virtual bool lowers_case() const { return false; }  // encode() makes small letters itself
  virtual PieceRange text_pieces() const {            // ids that stand for text, as a random piece must
    return {1 + std::max(eos_id(), pad_id()), vocab_size()};
  }
};

// The UTF-8 bytes themselves: 0 padding, 1 EOS, 2 unknown (never produced), byte b is 3 + b. (The numbering
// of ByT5.)
std::unique_ptr<Tokenizer> make_byte_tokenizer();

struct SentencePieceOptions {
  int32_t vocab_size = 1024;  // an upper bound: few captions give fewer pieces
  bool lower_case = true;     // captions are lower-cased before training
};

// Trains a unigram model: 0 <pad>, 1 </s>, 2 <unk>, then pieces. Same captions, same model, byte for byte.
std::unique_ptr<Tokenizer> train_sentencepiece(const std::vector<std::string>& captions,
                                               const SentencePieceOptions& options);

bool sentencepiece_is_built_in();

// `source` is "bytes", or a file: one that save() wrote, any SentencePiece model with an EOS piece, or CLIP's
// merges (merges.txt, bpe_simple_vocab_16e6.txt.gz), known by its first line.
std::unique_ptr<Tokenizer> load_tokenizer(const std::string& source);

struct TextOptions {
  int max_len = 16;
  bool lower_case = true;
  bool punctuation = true;                       // false: every mark of ASCII punctuation becomes a blank
  std::optional<int32_t> pad_id = std::nullopt;  // instead of the tokenizer's own
};

// The text as it is cut into pieces: capitals and punctuation after `options`.
std::string prepared_text(std::string_view text, const TextOptions& options);

struct TextIds {
  std::vector<int32_t> ids;  // [max_len]
  int32_t valid = 0;         // pieces and EOS; the rest is padding
};

TextIds tokenize(const Tokenizer& tokenizer, std::string_view text, const TextOptions& options);

}  // namespace limoe
