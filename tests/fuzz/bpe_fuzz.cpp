// A merges file of CLIP's tokenizer, and texts encoded with one that could be read. Mode bit 0: the first
// line is there already; bit 1: the input is a text, for a tokenizer of no merges. What is read is written
// and read again, the same.
#include "data/bpe_merges.h"
#include "data/bpe_tokenizer.h"
#include "tests/fuzz/fuzz_target.h"

using namespace limoe;

namespace {

const std::string kFirstLine = "#version: 0.2\n";

void encode(const Tokenizer& tokenizer, const std::string& text) {
  const int32_t pieces = tokenizer.vocab_size();
  for (const int32_t id : tokenizer.encode(text)) fuzzing::expect(id >= 0 && id < pieces, "a known piece");
}

void encode_with(const Tokenizer& tokenizer) {
  encode(tokenizer, "It's a red\xff apple &amp; 42 \xc3\x84pfel\n");
  for (int32_t id = kFirstMerge; id < tokenizer.vocab_size(); ++id) tokenizer.piece(id);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const fuzzing::Input input(data, size);
  const std::string rest = fuzzing::text_of(input.rest);
  static const auto without_merges = parse_bpe("in", kFirstLine);
  if (input.has(1)) {
    fuzzing::expect_parsed_or_refused([&] { encode(*without_merges, rest); });
    return 0;
  }
  const std::string content = input.has(0) ? kFirstLine + rest : rest;
  fuzzing::expect_parsed_or_refused([&] {
    is_bpe_merges(content);
    const std::string written = write_bpe_merges(parse_bpe_merges("in", content));
    fuzzing::expect(write_bpe_merges(parse_bpe_merges("in", written)) == written, "the same merges");
    const auto tokenizer = parse_bpe("in", content);
    encode(*tokenizer, rest);
    encode_with(*tokenizer);
  });
  return 0;
}
