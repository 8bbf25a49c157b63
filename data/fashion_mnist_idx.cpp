// Reading gzipped idx files.
#include <zlib.h>

#include <algorithm>
#include <filesystem>

#include "data/fashion_mnist.h"
#include "tensor/error.h"

namespace limoe {
namespace {

constexpr uint32_t kImagesMagic = 0x803, kLabelsMagic = 0x801;
constexpr uint32_t kMaxCount = 10'000'000, kMaxSide = 1024;

class IdxFile {
 public:
  explicit IdxFile(const std::string& path) : path_(path), file_(gzopen(path.c_str(), "rb")) {
    if (!std::filesystem::exists(path) || file_ == nullptr)
      throw FileError(path,
                      ": cannot be read; it comes with Debian's package dataset-fashion-mnist (apt install "
                      "dataset-fashion-mnist)");
  }
  ~IdxFile() {
    if (file_ != nullptr) gzclose(file_);
  }
  IdxFile(const IdxFile&) = delete;
  IdxFile& operator=(const IdxFile&) = delete;

  void read(void* to, int64_t bytes, const char* what) {
    for (int64_t done = 0; done < bytes;) {
      auto step = static_cast<unsigned>(std::min<int64_t>(bytes - done, 1 << 30));
      int got = gzread(file_, static_cast<char*>(to) + done, step);
      if (got <= 0) throw FileError(path_, ": ", what, ": ended after ", done, " bytes; expected ", bytes);
      done += got;
    }
  }

  uint32_t number(const char* what) {
    uint8_t b[4];
    read(b, 4, what);
    return uint32_t{b[0]} << 24 | uint32_t{b[1]} << 16 | uint32_t{b[2]} << 8 | b[3];
  }

  void expect_number(const char* what, uint32_t expected) {
    uint32_t found = number(what);
    if (found != expected) throw FileError(path_, ": ", what, " is ", found, "; expected ", expected);
  }

  uint32_t number_up_to(const char* what, uint32_t most) {
    uint32_t found = number(what);
    if (found < 1 || found > most)
      throw FileError(path_, ": ", what, " is ", found, "; expected 1 to ", most);
    return found;
  }

  // The checksum and the end of the gzip stream are looked at when reading past the last byte.
  void expect_end() {
    char extra = 0;
    if (gzread(file_, &extra, 1) > 0) throw FileError(path_, ": holds more than its header says");
    int status = Z_OK;
    const char* reason = gzerror(file_, &status);
    if (status != Z_OK) throw FileError(path_, ": gzip stream is damaged or cut short: ", reason);
  }

 private:
  std::string path_;
  gzFile file_;
};

}  // namespace

IdxImages read_idx_images(const std::string& path) {
  IdxFile file(path);
  file.expect_number("magic number", kImagesMagic);
  IdxImages images;
  images.count = file.number_up_to("number of images", kMaxCount);
  images.height = static_cast<int>(file.number_up_to("height", kMaxSide));
  images.width = static_cast<int>(file.number_up_to("width", kMaxSide));
  int64_t bytes = int64_t{images.height} * images.width;
  for (int64_t i = 0; i < images.count; ++i) {  // grows with what is there, not with what the header claims
    images.pixels.resize(static_cast<size_t>((i + 1) * bytes));
    file.read(images.pixels.data() + i * bytes, bytes, "image");
  }
  file.expect_end();
  return images;
}

std::vector<uint8_t> read_idx_labels(const std::string& path) {
  IdxFile file(path);
  file.expect_number("magic number", kLabelsMagic);
  std::vector<uint8_t> labels(file.number_up_to("number of labels", kMaxCount));
  file.read(labels.data(), static_cast<int64_t>(labels.size()), "labels");
  file.expect_end();
  return labels;
}

}  // namespace limoe
