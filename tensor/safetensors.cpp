#include "tensor/safetensors.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <vector>

#include "tensor/atomic_file.h"
#include "tensor/error.h"
#include "tensor/factory.h"
#include "tensor/safetensors_header.h"

namespace limoe {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

constexpr uint64_t kLengthBytes = 8;
constexpr uint64_t kLargestHeader = 100'000'000;
constexpr uint64_t kDataAlignment = 64;

class InputFile {
 public:
  explicit InputFile(const std::string& path) : path_(path) {
    // Without O_NONBLOCK, opening a pipe would wait for its writer before it can be refused.
    do {
      descriptor_ = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    } while (descriptor_ < 0 && errno == EINTR);
    if (descriptor_ < 0) throw FileError(path, ": cannot be opened: ", std::strerror(errno));
    struct stat status {};
    const bool is_file = fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode);
    size_ = uint64_t(status.st_size);
    if (is_file) return;
    close(descriptor_);
    throw FileError(path, ": is no regular file; expected a safetensors file");
  }
  ~InputFile() { close(descriptor_); }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  uint64_t size() const { return size_; }

  void read(void* bytes, uint64_t count, uint64_t from) const {
    char* to = static_cast<char*>(bytes);
    while (count > 0) {
      const ssize_t got = pread(descriptor_, to, std::min<uint64_t>(count, 1u << 30), off_t(from));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw FileError(path_, ": cannot be read: ", std::strerror(errno));
      if (got == 0) throw FileError(path_, ": ends at byte ", from, "; expected ", count, " bytes more");
      to += got;
      from += uint64_t(got);
      count -= uint64_t(got);
    }
  }

 private:
  const std::string& path_;
  int descriptor_ = -1;
  uint64_t size_ = 0;
};

std::string read_header_text(const std::string& path, const InputFile& file) {
  if (file.size() < kLengthBytes)
    throw FileError(path, ": has ", file.size(), " bytes; expected a safetensors file, which has 8 or more");
  uint64_t header_bytes = 0;
  file.read(&header_bytes, kLengthBytes, 0);
  const uint64_t most = std::min(kLargestHeader, file.size() - kLengthBytes);
  if (header_bytes > most)
    throw FileError(path, ": header length is ", header_bytes, "; expected at most ", most);
  std::string text(header_bytes, '\0');
  file.read(text.data(), header_bytes, kLengthBytes);
  return text;
}

// Piece by piece, so that beside the tensor little memory is needed.
void read_converted(const std::string& path, const InputFile& file, const SafetensorsEntry& entry,
                    uint64_t begin, Tensor& tensor) {
  constexpr int64_t kPiece = 8192;
  const SafetensorsType& type = *entry.type;
  std::vector<std::byte> piece(size_t(std::min(kPiece, tensor.element_count())) * type.bytes);
  std::byte* to = static_cast<std::byte*>(tensor.raw_mutable_data());
  for (int64_t done = 0; done < tensor.element_count(); done += kPiece) {
    const int64_t count = std::min(kPiece, tensor.element_count() - done);
    file.read(piece.data(), uint64_t(count) * type.bytes, begin + uint64_t(done) * type.bytes);
    if (const auto misfit = type.convert(piece.data(), count, to + size_t(done) * size_of(type.dtype)))
      throw FileError(path, ": tensor ", entry.name, " is ", type.name, ", and its element ",
                      done + misfit->index, " is ", misfit->value, "; expected ", type.expected);
  }
}

}  // namespace

SafetensorsFile read_safetensors(const std::string& path) {
  const InputFile file(path);
  const std::string text = read_header_text(path, file);
  const uint64_t data_start = kLengthBytes + text.size();
  SafetensorsHeader header = parse_safetensors_header(path, text, file.size() - data_start);
  SafetensorsFile result{{}, std::move(header.metadata), {}};
  for (const SafetensorsEntry& entry : header.entries) {
    Tensor tensor(entry.shape, entry.type->dtype);
    if (entry.type->convert == nullptr) {
      file.read(tensor.raw_mutable_data(), tensor.byte_count(), data_start + entry.begin);
    } else {
      read_converted(path, file, entry, data_start + entry.begin, tensor);
      result.converted.emplace(entry.name, entry.type->name);
    }
    result.tensors.emplace(entry.name, std::move(tensor));
  }
  return result;
}

void write_safetensors(const std::string& path, const std::map<std::string, Tensor>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  SafetensorsHeader header{{}, metadata};
  for (const auto& [name, tensor] : tensors) {
    if (name == "__metadata__")
      throw ValueError("write_safetensors: a tensor is called __metadata__; expected any other name");
    if (!tensor.defined())
      throw ValueError("write_safetensors: tensor ", name, " holds nothing; expected values");
    header.entries.push_back({name, &safetensors_type_of(tensor.dtype()), tensor.shape()});
  }
  std::stable_sort(header.entries.begin(), header.entries.end(),
                   [](const auto& a, const auto& b) { return a.type->bytes > b.type->bytes; });
  uint64_t offset = 0;
  for (SafetensorsEntry& entry : header.entries) {
    entry.begin = offset;
    entry.end = offset += tensors.at(entry.name).byte_count();
  }
  std::string text = safetensors_header_text(header);
  if (const uint64_t excess = (kLengthBytes + text.size()) % kDataAlignment)
    text.append(kDataAlignment - excess, ' ');
  if (text.size() > kLargestHeader)
    throw ValueError("write_safetensors: the header has ", text.size(), " bytes; expected at most ",
                     kLargestHeader, ", the format's limit");
  AtomicFile file(path);
  const uint64_t header_bytes = text.size();
  file.write(&header_bytes, kLengthBytes);
  file.write(text.data(), text.size());
  for (const SafetensorsEntry& entry : header.entries) {
    const Tensor host = contiguous(to_device(tensors.at(entry.name), Device{}));
    file.write(host.raw_data(), host.byte_count());
  }
  file.commit();
}

}  // namespace limoe
