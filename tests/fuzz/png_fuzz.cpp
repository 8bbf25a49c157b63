// A PNG file, with the CRC of its chunks put right when the input's last bit is set.
#include <vector>

#include "tests/fuzz/picture.h"
#include "tests/fuzz/repair.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<uint8_t> file(data, data + size);
  if (size > 0 && file.back() & 1) limoe::fuzzing::repair_png(std::span(file).first(size - 1));
  limoe::fuzzing::decode_picture(file, {"\x89PNG"});
  return 0;
}
