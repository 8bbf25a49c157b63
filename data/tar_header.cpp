// Checksums and numbers of tar headers.
#include "data/tar_header.h"

#include <cstddef>

namespace limoe {

int64_t tar_checksum(const TarHeader& header) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(&header);
  int64_t sum = int64_t{' '} * static_cast<int64_t>(sizeof header.checksum);
  for (size_t i = 0; i < sizeof header; ++i)
    if (i < offsetof(TarHeader, checksum) || i >= offsetof(TarHeader, type)) sum += bytes[i];
  return sum;
}

bool parse_tar_number(std::string_view field, int64_t& value) {
  value = 0;
  if (!field.empty() && (static_cast<uint8_t>(field[0]) & 0x80)) {
    for (size_t i = 0; i < field.size(); ++i) {
      int64_t byte = static_cast<uint8_t>(field[i]) & (i == 0 ? 0x7f : 0xff);
      if (value > (kMaxTarNumber >> 8)) return false;
      value = (value << 8) | byte;
    }
    return true;
  }
  size_t i = field.find_first_not_of(' ');
  if (i == std::string_view::npos) return false;
  size_t first = i;
  for (; i < field.size() && field[i] >= '0' && field[i] <= '7'; ++i) value = value * 8 + (field[i] - '0');
  return i > first && (i == field.size() || field[i] == ' ' || field[i] == '\0');
}

}  // namespace limoe
