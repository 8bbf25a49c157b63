// The files behind load_tokenizer() and Tokenizer::save(): a SentencePiece model, or one line that stands for
// bytes.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "data/tokenizer.h"

namespace limoe {

inline constexpr std::string_view kByteTokenizerFile = "limoe tokenizer: bytes\n";

// FileError when the file is missing, cannot be read or is empty.
std::string read_tokenizer_file(const std::filesystem::path& path);
void write_tokenizer_file(const std::filesystem::path& path, std::string_view content);

// `path` is for messages only; `content` is a serialized SentencePiece model.
std::unique_ptr<Tokenizer> parse_sentencepiece(const std::string& path, const std::string& content);

}  // namespace limoe
