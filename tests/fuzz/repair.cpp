#include "tests/fuzz/repair.h"

#include <zlib.h>

#include <cstdio>
#include <cstring>

namespace limoe::fuzzing {
namespace {

constexpr size_t kBlock = 512, kChecksumAt = 148, kChecksumBytes = 8, kMagicAt = 257;

uint32_t big_endian(const uint8_t* bytes) {
  return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3];
}

}  // namespace

void repair_tar(std::span<uint8_t> file) {
  for (size_t at = 0; at + kBlock <= file.size(); at += kBlock) {
    uint8_t* const header = file.data() + at;
    if (std::memcmp(header + kMagicAt, "ustar", 5) != 0) continue;
    std::memset(header + kChecksumAt, ' ', kChecksumBytes);
    unsigned sum = 0;
    for (size_t i = 0; i < kBlock; ++i) sum += header[i];
    char text[16];
    std::snprintf(text, sizeof text, "%06o", sum);
    std::memcpy(header + kChecksumAt, text, 7);  // with its zero; the blank behind it stays
  }
}

void repair_png(std::span<uint8_t> file) {
  constexpr size_t kSignature = 8, kLengthAndName = 8, kChecksum = 4;
  for (size_t at = kSignature; at + kLengthAndName + kChecksum <= file.size();) {
    const size_t length = big_endian(file.data() + at);
    if (length > file.size() - at - kLengthAndName - kChecksum) return;
    const uLong sum = crc32(0, file.data() + at + 4, static_cast<uInt>(4 + length));
    uint8_t* const place = file.data() + at + kLengthAndName + length;
    for (size_t i = 0; i < kChecksum; ++i) place[i] = static_cast<uint8_t>(sum >> (24 - 8 * i));
    at += kLengthAndName + length + kChecksum;
  }
}

}  // namespace limoe::fuzzing
