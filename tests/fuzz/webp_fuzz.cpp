// A WebP file.
#include "tests/fuzz/picture.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  limoe::fuzzing::decode_picture({data, size}, {"RIFF"});
  return 0;
}
