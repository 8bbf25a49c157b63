#include "data/sentencepiece_check.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "data/sentencepiece_charsmap.h"
#include "tensor/error.h"
#include "tensor/utf8.h"

namespace limoe {
namespace {

constexpr std::size_t kMostNested = 64;  // the library keeps room for so many

// Field numbers of sentencepiece_model.proto
enum ModelField { kPiece = 1, kNormalizer = 3, kSelfTest = 4, kDenormalizer = 5 };
enum PieceField { kText = 1, kScore = 2, kType = 3 };
constexpr uint32_t kCharsmap = 2;     // of NormalizerSpec
constexpr uint32_t kUserDefined = 4;  // value of a piece's type

enum class Wire { number = 0, eight_bytes = 1, bytes = 2, four_bytes = 5 };

struct Field {
  uint32_t number = 0;
  Wire wire = Wire::number;
  uint64_t value = 0;      // of Wire::number
  std::string_view bytes;  // of the others
};

// The fields of a message one after another.
class Message {
 public:
  explicit Message(std::string_view bytes) : left_(bytes) {}

  // False behind the last field, and at a fault.
  bool next(Field& field) {
    uint64_t tag = 0;
    if (left_.empty() || !take_number(tag, kTagBytes)) return false;
    field.number = static_cast<uint32_t>(tag >> 3);
    field.wire = static_cast<Wire>(tag & 7);
    field.bytes = {};
    if (field.number == 0 || tag > UINT32_MAX) return fail();
    switch (field.wire) {
      case Wire::number:
        return take_number(field.value, kNumberBytes);
      case Wire::eight_bytes:
        return take_bytes(field, 8);
      case Wire::four_bytes:
        return take_bytes(field, 4);
      case Wire::bytes:
        return take_number(field.value, kTagBytes) && take_bytes(field, field.value);
    }
    return fail();  // groups: the format knows them, no model has them
  }

  bool is_damaged() const { return is_damaged_; }
  const char* place() const { return left_.data(); }

 private:
  static constexpr int kTagBytes = 5, kNumberBytes = 10;

  bool fail() {
    is_damaged_ = true;
    return false;
  }
  bool take_number(uint64_t& value, int most) {
    value = 0;
    for (int i = 0; i < most && !left_.empty(); ++i) {
      const auto byte = static_cast<uint8_t>(left_[0]);
      left_.remove_prefix(1);
      value |= uint64_t{byte & 0x7fu} << (7 * i);
      if (byte < 0x80) return true;
    }
    return fail();
  }
  bool take_bytes(Field& field, uint64_t count) {
    if (count > left_.size()) return fail();
    field.bytes = left_.substr(0, count);
    left_.remove_prefix(count);
    return true;
  }

  std::string_view left_;
  bool is_damaged_ = false;
};

class ModelCheck {
 public:
  ModelCheck(const std::string& path, std::string_view model) : path_(path), model_(model) {}

  std::string run() {
    std::string kept;
    Message message(model_);
    const char* begin = model_.data();
    for (Field field; message.next(field); begin = message.place()) {
      at_ = begin - model_.data();
      if (field.wire == Wire::bytes && field.number == kPiece) check_piece(field.bytes);
      if (field.wire == Wire::bytes && (field.number == kNormalizer || field.number == kDenormalizer))
        check_normalizer(field.bytes);
      if (field.number != kSelfTest) kept.append(begin, message.place());
    }
    at_ = begin - model_.data();
    if (message.is_damaged()) fail("no field of a protocol buffer");
    check_nesting();
    return kept;
  }

 private:
  [[noreturn]] void fail(std::string_view what) const {
    throw FileError(path_, ": not a SentencePiece model (byte ", at_, ": ", what,
                    "); expected a file made by SentencePiece, or by a tokenizer's save()");
  }

  void check_piece(std::string_view bytes) {
    std::string_view text;
    bool is_user_defined = false;
    Message message(bytes);
    for (Field field; message.next(field);) {
      if (field.number == kText && field.wire == Wire::bytes) text = field.bytes;
      if (field.number == kType && field.wire == Wire::number)
        is_user_defined |= static_cast<uint32_t>(field.value) == kUserDefined;
      float score = 0;
      if (field.number == kScore && field.wire == Wire::four_bytes)
        std::memcpy(&score, field.bytes.data(), sizeof score);
      if (!std::isfinite(score)) fail("a piece whose score is no number");
    }
    if (message.is_damaged()) fail("a damaged piece");
    if (text.empty()) fail("a piece without text");
    if (text.find('\0') != std::string_view::npos) fail("a piece with a zero byte");
    if (!is_utf8(text)) fail("a piece that is not UTF-8");
    if (is_user_defined) user_defined_.push_back(text);
  }

  void check_normalizer(std::string_view bytes) const {
    Message message(bytes);
    for (Field field; message.next(field);) {
      if (field.number != kCharsmap || field.wire != Wire::bytes || field.bytes.empty()) continue;
      if (const std::string_view fault = charsmap_fault(field.bytes); !fault.empty())
        fail(concatenate("a table of characters that ", fault));
    }
    if (message.is_damaged()) fail("a damaged normalizer");
  }

  // In rising order, those that a piece begins with are the ones before it that are still open.
  void check_nesting() {
    std::sort(user_defined_.begin(), user_defined_.end());
    std::vector<std::string_view> open;
    for (const std::string_view text : user_defined_) {
      while (!open.empty() && !text.starts_with(open.back())) open.pop_back();
      open.push_back(text);
      if (open.size() > kMostNested) fail("more than 64 user-defined pieces inside one another");
    }
  }

  const std::string& path_;
  const std::string_view model_;
  std::ptrdiff_t at_ = 0;  // of the field under way, for messages
  std::vector<std::string_view> user_defined_;
};

}  // namespace

std::string checked_sentencepiece(const std::string& path, std::string_view model) {
  return ModelCheck(path, model).run();
}

}  // namespace limoe
