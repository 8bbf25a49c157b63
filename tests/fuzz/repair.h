// Checksums keep a fuzzer from what lies behind them: damage is found before it is parsed. These put right
// the checksums of bytes that a fuzzer has changed, as an attacker would.
#pragma once

#include <cstdint>
#include <span>

namespace limoe::fuzzing {

void repair_tar(std::span<uint8_t> file);  // of every block that reads "ustar" where a header does
void repair_png(std::span<uint8_t> file);  // the CRC of every chunk

}  // namespace limoe::fuzzing
