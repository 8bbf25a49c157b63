#include "data/gunzip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "tensor/error.h"

namespace limoe {
namespace {

constexpr int kGzipWindow = 15 + 16;  // the largest window; only gzip's header is taken
constexpr size_t kStep = 1 << 16;

class Inflater {
 public:
  Inflater(const std::string& path, std::string_view content) : path_(path) {
    if (content.size() > std::numeric_limits<uInt>::max())
      throw FileError(path, ": is ", content.size(), " bytes; expected less than 4 GiB");
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
    stream_.avail_in = static_cast<uInt>(content.size());
    if (inflateInit2(&stream_, kGzipWindow) != Z_OK)
      throw OutOfMemoryError(path, ": no memory to decompress it");
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  bool ended() const { return ended_; }

  // Appends up to `bytes` more.
  void read(std::string& text, size_t bytes) {
    const size_t before = text.size();
    text.resize(before + bytes);
    stream_.next_out = reinterpret_cast<Bytef*>(text.data() + before);
    stream_.avail_out = static_cast<uInt>(bytes);
    const int status = inflate(&stream_, Z_NO_FLUSH);
    text.resize(text.size() - stream_.avail_out);
    ended_ = status == Z_STREAM_END;
    if (status != Z_OK && !ended_)
      throw FileError(path_, ": gzip data is ", status == Z_BUF_ERROR ? "cut short" : "damaged", " after ",
                      text.size(), " bytes of text; expected a whole file");
  }

 private:
  const std::string& path_;
  z_stream stream_{};
  bool ended_ = false;
};

}  // namespace

bool is_gzip(std::string_view content) {
  return content.substr(0, 2) == "\x1F\x8B";
}

std::string gunzip_start(const std::string& path, std::string_view content, size_t most_bytes) {
  Inflater inflater(path, content);
  std::string text;
  while (!inflater.ended() && text.size() < most_bytes)
    inflater.read(text, std::min(kStep, most_bytes - text.size()));
  return text;
}

}  // namespace limoe
