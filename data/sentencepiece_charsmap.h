// The table by which a SentencePiece model normalises characters (NormalizerSpec.precompiled_charsmap):
//
//   u32 N | N bytes: a trie of replaced byte strings, as an array of u32 units | replacements, each ended by
//   a zero byte
//
// The trie is a double array (Aoe 1989) in the form of Darts-clone. A state is an index p into the units;
// byte c leads on where the unit at p xor c has the label c:
//
//   unit     bit 31: holds a value alone | bits 10-30, shifted by 8 where bit 9 is set: offset | bit 8: a
//            replaced string ends here | bits 0-7: label
//   state    (index of the unit) xor (offset of the unit); the value of a string that ends lies at that index
#pragma once

#include <string_view>

namespace limoe {

// What is wrong, in words that follow "it", or empty: every step from every state, for every byte, stays
// inside the units, no path goes round, none is longer than 256 bytes or ends more than 32 strings, and every
// value is the place of a replacement.
std::string_view charsmap_fault(std::string_view charsmap);

}  // namespace limoe
