// A safetensors file. Mode bit 0: the input is the header alone, and a length before it and as many bytes of
// data as mode / 2 says are put around it. What could be read is written and read again, the same.
#include <cstring>
#include <vector>

#include "tensor/safetensors.h"
#include "tests/fuzz/fuzz_target.h"

using namespace limoe;

namespace {

std::vector<uint8_t> with_length(std::span<const uint8_t> header, size_t data_bytes) {
  const uint64_t length = header.size();
  std::vector<uint8_t> file(sizeof length + header.size() + data_bytes);
  std::memcpy(file.data(), &length, sizeof length);
  if (!header.empty()) std::memcpy(file.data() + sizeof length, header.data(), header.size());
  return file;
}

void expect_same(const SafetensorsFile& a, const SafetensorsFile& b) {
  fuzzing::expect(a.metadata == b.metadata && a.tensors.size() == b.tensors.size(), "the same metadata");
  for (const auto& [name, tensor] : a.tensors) {
    const auto other = b.tensors.find(name);
    fuzzing::expect(other != b.tensors.end() && other->second.shape() == tensor.shape() &&
                        other->second.dtype() == tensor.dtype(),
                    "the same tensors");
    fuzzing::expect(tensor.byte_count() == 0 ||
                        std::memcmp(tensor.raw_data(), other->second.raw_data(), tensor.byte_count()) == 0,
                    "the same values");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const fuzzing::ScratchFolder folder;
  const fuzzing::Input input(data, size);
  const std::vector<uint8_t> file = input.has(0) ? with_length(input.rest, input.mode / 2u)
                                                 : std::vector<uint8_t>(input.rest.begin(), input.rest.end());
  const std::string path = folder.write("in.safetensors", file);
  fuzzing::expect_parsed_or_refused([&] {
    const SafetensorsFile read = read_safetensors(path);
    const std::string copy = folder.path() + "/copy.safetensors";
    write_safetensors(copy, read.tensors, read.metadata);
    expect_same(read, read_safetensors(copy));
  });
  return 0;
}
