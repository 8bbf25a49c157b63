#include <algorithm>
#include <array>

#include "data/tokenizer.h"
#include "data/tokenizer_file.h"
#include "tensor/error.h"

namespace limoe {
namespace {

constexpr int32_t kPad = 0;
constexpr int32_t kEos = 1;
constexpr int32_t kFirstByte = 3;
constexpr int32_t kVocabSize = kFirstByte + 256;

class ByteTokenizer final : public Tokenizer {
 public:
  std::vector<int32_t> encode(std::string_view text) const override {
    std::vector<int32_t> ids(text.size());
    std::transform(text.begin(), text.end(), ids.begin(),
                   [](char byte) { return kFirstByte + static_cast<unsigned char>(byte); });
    return ids;
  }

  int32_t vocab_size() const override { return kVocabSize; }
  int32_t eos_id() const override { return kEos; }
  int32_t pad_id() const override { return kPad; }
  std::string kind() const override { return "bytes"; }

  std::string piece(int32_t id) const override {
    if (id < 0 || id >= kVocabSize)
      throw ValueError("byte tokenizer: piece id is ", id, "; expected 0..", kVocabSize - 1);
    if (id < kFirstByte) return std::array{"<pad>", "</s>", "<unk>"}[static_cast<std::size_t>(id)];
    const int byte = id - kFirstByte;
    if (byte > 0x20 && byte < 0x7F) return std::string(1, static_cast<char>(byte));
    constexpr char kDigits[] = "0123456789ABCDEF";
    return std::string("<0x") + kDigits[byte / 16] + kDigits[byte % 16] + '>';
  }

  void save(const std::filesystem::path& path) const override {
    write_tokenizer_file(path, kByteTokenizerFile);
  }
};

}  // namespace

std::unique_ptr<Tokenizer> make_byte_tokenizer() {
  return std::make_unique<ByteTokenizer>();
}

}  // namespace limoe
