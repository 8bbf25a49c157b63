// A SentencePiece model, and texts encoded with one that could be read.
#include "data/tokenizer.h"
#include "data/tokenizer_file.h"
#include "tests/fuzz/fuzz_target.h"

using namespace limoe;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  fuzzing::expect_parsed_or_refused([&] {
    const auto tokenizer = parse_sentencepiece("in", fuzzing::text_of({data, size}));
    const int32_t pieces = tokenizer->vocab_size();
    for (const char* text : {"", "a red apple", "  two\tcats\n", "\xff\xfe",
                             "Stra\xc3\x9f"
                             "e \xef\xbc\xa1"})
      for (const int32_t id : tokenizer->encode(text))
        fuzzing::expect(id >= 0 && id < pieces, "a known piece");
    const TextIds ids = tokenize(*tokenizer, "a red apple", {.max_len = 8});
    fuzzing::expect(ids.ids.size() == 8 && ids.valid >= 1, "a row of eight");
    for (int32_t id = 0; id < pieces; ++id) tokenizer->piece(id);
  });
  return 0;
}
