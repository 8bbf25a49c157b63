// A BMP or GIF file.
#include "tests/fuzz/picture.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  limoe::fuzzing::decode_picture({data, size}, {"GIF8", "BM"});
  return 0;
}
