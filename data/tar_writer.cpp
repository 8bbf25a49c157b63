// Writing ustar archives.
#include <cstdio>
#include <cstring>

#include "data/tar.h"
#include "data/tar_header.h"
#include "tensor/error.h"

namespace limoe {
namespace {

constexpr int64_t kMaxOctalSize = (int64_t{1} << 33) - 1;  // eleven octal digits

void set_octal(char* field, size_t length, int64_t value) {
  std::snprintf(field, length, "%0*llo", static_cast<int>(length) - 1,
                static_cast<unsigned long long>(value));
}

// A name of more than 100 bytes is cut at a '/' into prefix and name.
void set_name(TarHeader& header, std::string_view name) {
  if (!name.empty() && name.size() <= sizeof header.name) {
    std::memcpy(header.name, name.data(), name.size());
    return;
  }
  size_t slash = name.rfind('/', sizeof header.prefix);
  if (name.empty() || slash == std::string_view::npos || slash == 0 || name.size() - slash - 1 == 0 ||
      name.size() - slash - 1 > sizeof header.name)
    throw ValueError("tar: name is '", name,
                     "'; expected 1 to 100 bytes, or up to 255 with a '/' to split at");
  std::memcpy(header.prefix, name.data(), slash);
  std::memcpy(header.name, name.data() + slash + 1, name.size() - slash - 1);
}

TarHeader make_header(std::string_view name, int64_t size) {
  if (size > kMaxOctalSize)
    throw ValueError("tar: member ", name, " is ", size, " bytes; expected at most ", kMaxOctalSize);
  TarHeader header;
  std::memset(&header, 0, sizeof header);
  set_name(header, name);
  set_octal(header.mode, sizeof header.mode, 0644);
  set_octal(header.owner, sizeof header.owner, 0);
  set_octal(header.group, sizeof header.group, 0);
  set_octal(header.size, sizeof header.size, size);
  set_octal(header.time, sizeof header.time, 0);
  header.type = '0';
  std::memcpy(header.magic, "ustar", 6);
  std::memcpy(header.version, "00", 2);
  set_octal(header.checksum, 7, tar_checksum(header));  // six digits, a zero, a blank
  header.checksum[7] = ' ';
  return header;
}

constexpr char kZeros[2 * kTarBlock] = {};

}  // namespace

TarWriter::TarWriter(const std::string& path) : path_(path), file_(path, std::ios::binary | std::ios::trunc) {
  if (!file_) throw FileError(path, ": cannot be created");
}

void TarWriter::write(const void* bytes, size_t count) {
  if (!file_.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(count)))
    throw FileError(path_, ": cannot write ", count, " bytes (disk full?)");
}

void TarWriter::add(std::string_view name, std::span<const uint8_t> contents) {
  int64_t size = static_cast<int64_t>(contents.size());
  TarHeader header = make_header(name, size);
  write(&header, sizeof header);
  write(contents.data(), contents.size());
  write(kZeros, static_cast<size_t>(tar_padded(size) - size));
}

void TarWriter::add(std::string_view name, std::string_view contents) {
  add(name, std::span(reinterpret_cast<const uint8_t*>(contents.data()), contents.size()));
}

void TarWriter::finish() {
  write(kZeros, sizeof kZeros);
  file_.close();
  if (!file_) throw FileError(path_, ": cannot be closed (disk full?)");
}

}  // namespace limoe
