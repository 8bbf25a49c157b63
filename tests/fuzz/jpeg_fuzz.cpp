// A JPEG file, decoded whole or, when the input's last bit is set, for a small picture.
#include "tests/fuzz/picture.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  limoe::fuzzing::decode_picture({data, size}, {"\xff\xd8\xff"}, size > 0 && data[size - 1] & 1 ? 4 : 0);
  return 0;
}
