#include "data/bpe_merges.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_map>

#include "data/gunzip.h"
#include "data/unicode_classes.h"
#include "tensor/error.h"

namespace limoe {
namespace {

constexpr std::string_view kMark = "#version:";
constexpr size_t kLongestFirstLine = 256;
constexpr size_t kMostText = size_t{8} << 20;  // CLIP's own file has 0.5 MB up to the last line that counts
constexpr int32_t kBytes = 256;

bool is_printable(int byte) {
  return (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

struct ByteAlphabet {
  std::vector<int32_t> id_of_byte = std::vector<int32_t>(kBytes);
  std::array<char32_t, kBytes> character_of_id{};
  std::array<char, kBytes> byte_of_id{};

  ByteAlphabet() {
    int32_t next = 0;
    char32_t beyond = 0x100;
    for (const bool printable : {true, false})
      for (int byte = 0; byte < kBytes; ++byte) {
        if (is_printable(byte) != printable) continue;
        id_of_byte[size_t(byte)] = next;
        character_of_id[size_t(next)] = printable ? char32_t(byte) : beyond++;
        byte_of_id[size_t(next++)] = static_cast<char>(byte);
      }
  }
};

const ByteAlphabet& alphabet() {
  static const ByteAlphabet instance;
  return instance;
}

// The pieces of one byte as a merges file writes them, by their ids; made once, whatever is parsed.
struct BytePieces {
  std::vector<std::string> written;
  std::unordered_map<std::string, int32_t> ids;

  BytePieces() {
    for (const char* ending : {"", kEndOfWord})
      for (const char32_t character : alphabet().character_of_id) {
        std::string piece;
        append_utf8(piece, character);
        ids.emplace(piece + ending, static_cast<int32_t>(written.size()));
        written.push_back(piece + ending);
      }
  }
};

const BytePieces& byte_pieces() {
  static const BytePieces instance;
  return instance;
}

std::string text_of_file(const std::string& path, const std::string& content) {
  return is_gzip(content) ? gunzip_start(path, content, kMostText) : content.substr(0, kMostText);
}

// Takes the next line off the text, without its end.
std::string_view next_line(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

class MergesParser {
 public:
  explicit MergesParser(const std::string& path) : path_(path) {}

  void add(std::string_view line, int64_t number) {
    const size_t blank = line.find(' ');
    if (blank == std::string_view::npos || blank == 0 || blank + 1 == line.size() ||
        line.find(' ', blank + 1) != std::string_view::npos)
      throw FileError(where(number), " is ", quoted(line),
                      "; expected two pieces with one blank between them");
    const std::string left(line.substr(0, blank)), right(line.substr(blank + 1));
    const BpeMerge merge{id_of(left, number), id_of(right, number)};
    if (left.ends_with(kEndOfWord))
      throw FileError(where(number), ": ", quoted(left), " ends a word; expected it on the right alone");
    const std::string made = left + right;
    // "a" and a "</w>" made of its four letters are the byte "a" that ends a word.
    if (byte_pieces().ids.contains(made) ||
        !ids_.emplace(made, kFirstMerge + static_cast<int32_t>(merges_.size())).second)
      throw FileError(where(number), " makes ", quoted(made), " again; expected each piece once");
    merges_.push_back(merge);
  }

  std::vector<BpeMerge> take() { return std::move(merges_); }

 private:
  std::string where(int64_t line) const { return path_ + ": line " + std::to_string(line); }

  // For a message of one line, whatever the file holds.
  static std::string quoted(std::string_view text) {
    constexpr size_t kMost = 60;
    std::string out = "\"";
    for (const char letter : text.substr(0, kMost))
      out += static_cast<unsigned char>(letter) < 0x20 ? '?' : letter;
    return out + (text.size() > kMost ? "...\"" : "\"");
  }

  int32_t id_of(const std::string& piece, int64_t line) const {
    static const std::string& blank = byte_pieces().written[size_t(bpe_byte_ids()[' '])];
    if (piece.starts_with(blank))
      throw FileError(where(line), ": ", quoted(piece),
                      " begins with a blank's byte, as GPT-2's do; expected ",
                      "CLIP's merges, whose words end in ", kEndOfWord);
    for (const auto* ids : {&byte_pieces().ids, &ids_})
      if (const auto found = ids->find(piece); found != ids->end()) return found->second;
    throw FileError(where(line), ": ", quoted(piece),
                    " is no byte and made by no earlier line; expected one");
  }

  std::string path_;
  std::unordered_map<std::string, int32_t> ids_;  // of what merges made
  std::vector<BpeMerge> merges_;
};

}  // namespace

bool is_bpe_merges(const std::string& content) {
  std::string start = content.substr(0, kLongestFirstLine);
  try {
    if (is_gzip(content)) start = gunzip_start("", content, kLongestFirstLine);
  } catch (const FileError&) {
    return false;
  }
  std::string_view rest = start;
  return next_line(rest).find(kMark) != std::string_view::npos;
}

std::vector<BpeMerge> parse_bpe_merges(const std::string& path, const std::string& content) {
  const std::string text = text_of_file(path, content);
  std::string_view rest = text;
  if (next_line(rest).find(kMark) == std::string_view::npos)
    throw FileError(path, ": line 1 has no \"", kMark, "\"; expected a merges file of CLIP");
  MergesParser parser(path);
  int64_t line = 2;
  for (; !rest.empty() && line < 2 + kMostMerges; ++line) parser.add(next_line(rest), line);
  if (rest.empty() && text.size() == kMostText)
    throw FileError(path, ": line ", line, " begins after ", kMostText, " bytes; expected ", kMostMerges,
                    " merges in fewer");
  return parser.take();
}

std::string write_bpe_merges(const std::vector<BpeMerge>& merges) {
  std::vector<std::string> pieces = byte_pieces().written;
  std::string text = "#version: 0.2\n";
  for (const BpeMerge& merge : merges) {
    const std::string left = pieces[size_t(merge.left)], right = pieces[size_t(merge.right)];
    text += left + " " + right + "\n";
    pieces.push_back(left + right);
  }
  return text;
}

std::vector<std::string> bpe_pieces(const std::vector<BpeMerge>& merges) {
  std::vector<std::string> pieces;
  for (const char* ending : {"", kEndOfWord})
    for (const char byte : alphabet().byte_of_id) pieces.push_back(std::string(1, byte) + ending);
  for (const BpeMerge& merge : merges)
    pieces.push_back(pieces[size_t(merge.left)] + pieces[size_t(merge.right)]);
  return pieces;
}

const std::vector<int32_t>& bpe_byte_ids() {
  return alphabet().id_of_byte;
}

}  // namespace limoe
