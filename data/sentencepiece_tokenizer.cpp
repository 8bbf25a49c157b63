// The SentencePiece kind of Tokenizer, on the SentencePiece library (Kudo & Richardson 2018, unigram model of
// Kudo 2018). Without the library the same functions say how to get it; nothing else in the tree knows
// whether it is there.
#include "data/lower_case.h"
#include "data/sentencepiece_check.h"
#include "data/tokenizer.h"
#include "data/tokenizer_file.h"
#include "tensor/error.h"

#ifdef LIMOE_HAVE_SENTENCEPIECE

#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include <algorithm>
#include <unordered_map>

namespace limoe {
namespace {

constexpr const char* kFatalOnly = "3";

// A library does not print. The level is one for the whole process, and training is the only call that sets
// it: told to train on nothing, it sets that and gives up.
void silence() {
  [[maybe_unused]] static const bool once = [] {
    const std::unordered_map<std::string, std::string> settings = {{"minloglevel", kFatalOnly}};
    sentencepiece::SentencePieceTrainer::Train(settings).IgnoreError();
    return true;
  }();
}

class SentencePieceTokenizer final : public Tokenizer {
 public:
  SentencePieceTokenizer(const std::string& path, std::string model) : model_(std::move(model)) {
    silence();
    const auto refuse = [&](const auto& reason) {
      throw FileError(path, ": not a SentencePiece model (", reason, "); expected a file made by ",
                      "SentencePiece, or by a tokenizer's save()");
    };
    try {
      const auto status = processor_.LoadFromSerializedProto(checked_sentencepiece(path, model_));
      if (!status.ok()) refuse(status.message());
    } catch (const Error&) {
      throw;
    } catch (const std::exception& error) {  // of the trie of pieces
      refuse(error.what());
    }
    if (processor_.eos_id() < 0)
      throw FileError(
          path, ": the SentencePiece model has no end-of-sentence piece; expected an eos_id of 0 or more");
  }

  std::vector<int32_t> encode(std::string_view text) const override {
    std::vector<int> ids;
    const auto status = processor_.Encode(text, &ids);
    if (!status.ok()) throw ValueError("sentencepiece: text cannot be encoded (", status.message(), ")");
    return {ids.begin(), ids.end()};
  }

  int32_t vocab_size() const override { return processor_.GetPieceSize(); }
  int32_t eos_id() const override { return processor_.eos_id(); }
  int32_t pad_id() const override { return processor_.pad_id() >= 0 ? processor_.pad_id() : eos_id(); }
  std::string kind() const override { return "sentencepiece"; }

  std::string piece(int32_t id) const override {
    if (id < 0 || id >= vocab_size())
      throw ValueError("sentencepiece: piece id is ", id, "; expected 0..", vocab_size() - 1);
    return processor_.IdToPiece(id);
  }

  void save(const std::filesystem::path& path) const override { write_tokenizer_file(path, model_); }

 private:
  std::string model_;
  sentencepiece::SentencePieceProcessor processor_;
};

class CaptionIterator final : public sentencepiece::SentenceIterator {
 public:
  explicit CaptionIterator(const std::vector<std::string>& captions) : captions_(captions) {}
  bool done() const override { return next_ == captions_.size(); }
  void Next() override { ++next_; }
  const std::string& value() const override { return captions_[next_]; }
  sentencepiece::util::Status status() const override { return {}; }

 private:
  const std::vector<std::string>& captions_;
  std::size_t next_ = 0;
};

std::vector<std::string> prepare(const std::vector<std::string>& captions, bool lower) {
  std::vector<std::string> prepared;
  for (const std::string& caption : captions)
    if (!caption.empty()) prepared.push_back(lower ? lower_case(caption) : caption);
  return prepared;
}

}  // namespace

bool sentencepiece_is_built_in() {
  return true;
}

std::unique_ptr<Tokenizer> parse_sentencepiece(const std::string& path, const std::string& content) {
  return std::make_unique<SentencePieceTokenizer>(path, content);
}

std::unique_ptr<Tokenizer> train_sentencepiece(const std::vector<std::string>& captions,
                                               const SentencePieceOptions& options) {
  const std::vector<std::string> prepared = prepare(captions, options.lower_case);
  if (prepared.empty())
    throw ValueError("train_sentencepiece: captions hold no text (", captions.size(),
                     " given); expected 1 or more");
  const std::unordered_map<std::string, std::string> settings = {
      {"model_type", "unigram"},
      {"vocab_size", std::to_string(options.vocab_size)},
      {"hard_vocab_limit", "false"},
      {"character_coverage", "1.0"},
      {"normalization_rule_name", "nmt_nfkc"},
      {"pad_id", "0"},
      {"eos_id", "1"},
      {"unk_id", "2"},
      {"bos_id", "-1"},
      {"num_threads", "1"},  // partial sums are added in thread order: one thread, one result
      {"minloglevel", kFatalOnly},
  };
  CaptionIterator iterator(prepared);
  std::string model;
  const auto status = sentencepiece::SentencePieceTrainer::Train(settings, &iterator, &model);
  if (!status.ok())
    throw ValueError("train_sentencepiece: vocab_size is ", options.vocab_size, " for ", prepared.size(),
                     " captions; SentencePiece says: ", status.message());
  return parse_sentencepiece("trained model", model);
}

}  // namespace limoe

#else

namespace limoe {
namespace {

constexpr const char* kAbsent =
    ": this build has no SentencePiece; expected the \"bytes\" tokenizer, or a build made where the package "
    "libsentencepiece-dev is installed";

}  // namespace

bool sentencepiece_is_built_in() {
  return false;
}

std::unique_ptr<Tokenizer> parse_sentencepiece(const std::string& path, const std::string&) {
  throw UsageError(path, kAbsent);
}

std::unique_ptr<Tokenizer> train_sentencepiece(const std::vector<std::string>&, const SentencePieceOptions&) {
  throw UsageError("train_sentencepiece", kAbsent);
}

}  // namespace limoe

#endif
