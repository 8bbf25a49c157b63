// cuda/runtime.h in the simulator: device memory is heap memory, filled with 0xff (NaN) when it is handed
// out. LIMOE_SIM_MEMORY is how many bytes there are of it: what runs out on a small GPU runs out here.
#include "cuda/runtime.h"

#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <unordered_map>

#include "cuda/launch.h"
#include "tensor/error.h"

namespace limoe::cuda {
namespace {

struct Moment {
  std::chrono::steady_clock::time_point at;
};

constexpr size_t kAlignment = 256;  // as cudaMalloc's
constexpr size_t kMemoryBytes = size_t{1} << 32;

// Throws ValueError for what is no number.
size_t read_memory_bytes() {
  const char* const text = std::getenv("LIMOE_SIM_MEMORY");
  if (!text) return kMemoryBytes;
  size_t bytes = 0;
  const char* const text_end = text + std::strlen(text);
  const auto [end, error] = std::from_chars(text, text_end, bytes);
  if (error != std::errc() || end != text_end || bytes == 0)
    throw ValueError("LIMOE_SIM_MEMORY is \"", text, "\"; expected a number of bytes");
  return bytes;
}

size_t memory_bytes() {
  static const size_t bytes = read_memory_bytes();
  return bytes;
}

// What is handed out, so that a block's size is known when it comes back.
struct HandedOut {
  std::mutex mutex;
  std::unordered_map<const void*, size_t> bytes_of;
  size_t total = 0;
};

HandedOut& handed_out() {
  static auto* const all = new HandedOut();  // tensors may outlive main()
  return *all;
}

}  // namespace

bool is_simulated() {
  return true;
}
int device_count(std::string*) {
  memory_bytes();
  return 1;
}
bool has_warpgroup_products() {
  return true;
}
int multiprocessors() {
  return properties_of(0).multiprocessors;
}
DeviceProperties properties_of(int) {
  return {"simulator", 8, 0, 1, memory_bytes(), kMostSharedBytesOfHopper};
}

void* allocate(size_t bytes) {
  void* block = nullptr;
  HandedOut& out = handed_out();
  const std::lock_guard<std::mutex> lock(out.mutex);
  if (bytes > memory_bytes() - out.total) return nullptr;
  if (posix_memalign(&block, kAlignment, bytes) != 0)
    return nullptr;  // exactly so many bytes: see AddressSanitizer
  std::memset(block, 0xff, bytes);
  out.bytes_of[block] = bytes;
  out.total += bytes;
  return block;
}
void free(void* block) noexcept {
  HandedOut& out = handed_out();
  const std::lock_guard<std::mutex> lock(out.mutex);
  if (const auto found = out.bytes_of.find(block); found != out.bytes_of.end()) {
    out.total -= found->second;
    out.bytes_of.erase(found);
  }
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
