// bf16: the upper 16 bits of an IEEE 754 single (1 sign, 8 exponent, 7 mantissa bits). A storage type: values
// are loaded to float, computed in float and rounded once when they are stored. The same bits on every
// machine.
#pragma once

#include <bit>
#include <cstdint>

#include "tensor/host_device.h"

namespace limoe {

struct bf16 {
  uint16_t bits = 0;

  bf16() = default;
  HOST_DEVICE explicit bf16(float value) : bits(rounded(value)) {}
  HOST_DEVICE explicit operator float() const { return std::bit_cast<float>(uint32_t(bits) << 16); }

 private:
  // Round to nearest, ties to even; a NaN stays a (quiet) NaN, which plain rounding could turn into infinity.
  HOST_DEVICE static uint16_t rounded(float value) {
    const uint32_t wide = std::bit_cast<uint32_t>(value);
    if ((wide & 0x7fffffffu) > 0x7f800000u) return uint16_t((wide >> 16) | 0x0040u);
    return uint16_t((wide + 0x7fffu + ((wide >> 16) & 1u)) >> 16);
  }
};

static_assert(sizeof(bf16) == 2);

}  // namespace limoe
