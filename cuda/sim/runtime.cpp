// cuda/runtime.h in the simulator: device memory is heap memory, filled with 0xff (NaN) when it is handed
// out.
#include "cuda/runtime.h"

#include <chrono>
#include <cstdlib>
#include <cstring>

#include "cuda/launch.h"

namespace limoe::cuda {
namespace {

struct Moment {
  std::chrono::steady_clock::time_point at;
};

constexpr size_t kAlignment = 256;  // as cudaMalloc's

}  // namespace

bool is_simulated() {
  return true;
}
int device_count(std::string*) {
  return 1;
}
DeviceProperties properties_of(int) {
  return {"simulator", 8, 0, 1, size_t{1} << 32, kMostSharedBytes};
}

void* allocate(size_t bytes) {
  void* block = nullptr;
  if (posix_memalign(&block, kAlignment, bytes) != 0)
    return nullptr;  // exactly so many bytes: see AddressSanitizer
  std::memset(block, 0xff, bytes);
  return block;
}
void free(void* block) noexcept {
  std::free(block);
}
void copy_to_device(void* to, const void* host, size_t bytes) {
  std::memcpy(to, host, bytes);
}
void copy_to_host(void* host, const void* from, size_t bytes) {
  std::memcpy(host, from, bytes);
}
void copy_on_device(void* to, const void* from, size_t bytes) {
  std::memmove(to, from, bytes);
}
void fill_bytes(void* to, unsigned char value, size_t bytes) {
  std::memset(to, value, bytes);
}
void synchronize() {}

Event make_event() {
  return {new Moment()};
}
void destroy(Event event) noexcept {
  delete static_cast<Moment*>(event.handle);
}
void record(Event event, Stream) {
  static_cast<Moment*>(event.handle)->at = std::chrono::steady_clock::now();
}
double seconds_between(Event begin, Event end) {
  return std::chrono::duration<double>(static_cast<Moment*>(end.handle)->at -
                                       static_cast<Moment*>(begin.handle)->at)
      .count();
}

}  // namespace limoe::cuda
