// The 512 byte header of a tar member, and the numbers in it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace limoe {

constexpr int64_t kTarBlock = 512;
constexpr int64_t kMaxTarNumber = int64_t{1} << 62;

struct TarHeader {
  char name[100];
  char mode[8];
  char owner[8];
  char group[8];
  char size[12];
  char time[12];
  char checksum[8];
  char type;
  char link[100];
  char magic[6];
  char version[2];
  char owner_name[32];
  char group_name[32];
  char device_major[8];
  char device_minor[8];
  char prefix[155];
  char unused[12];
};
static_assert(sizeof(TarHeader) == kTarBlock);

// The sum of the header's bytes, the checksum field counted as blanks.
int64_t tar_checksum(const TarHeader& header);

// An octal number, or GNU's base 256 (first bit set). Returns false for anything else, or above 2^62.
bool parse_tar_number(std::string_view field, int64_t& value);

// Contents are padded to whole blocks.
constexpr int64_t tar_padded(int64_t size) {
  return (size + kTarBlock - 1) / kTarBlock * kTarBlock;
}

}  // namespace limoe
