// CRC-32C (Castagnoli), the checksum of TensorBoard's record files. Polynomial 0x1EDC6F41, reflected; initial
// and final value all ones. Source: RFC 3720, appendix B.4, whose test vectors tests/event_file_test.cpp
// holds.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace limoe {

inline uint32_t crc32c(std::string_view bytes) {
  static constexpr std::array<uint32_t, 256> kTable = [] {
    std::array<uint32_t, 256> table{};
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ (value & 1 ? 0x82F63B78u : 0u);
      table[i] = value;
    }
    return table;
  }();
  uint32_t sum = ~0u;
  for (const char byte : bytes) sum = sum >> 8 ^ kTable[(sum ^ static_cast<uint8_t>(byte)) & 0xFF];
  return ~sum;
}

}  // namespace limoe
