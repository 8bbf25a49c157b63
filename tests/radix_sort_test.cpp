#include "cuda/radix_sort.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "tensor/factory.h"
#include "tensor/random.h"
#include "tests/support/compare.h"
#include "tests/support/device.h"

#ifdef LIMOE_SIMULATED
#include "cuda/sim/block.h"
#endif

using namespace limoe;
using namespace limoe::testing;

namespace {

using Keys = std::vector<uint32_t>;
using Values = std::vector<int32_t>;

// The value of a pair is where it stood.
Values sorted_on_device(const Keys& keys, int bits) {
  const Device device = *device_under_test();
  const int64_t count = int64_t(keys.size());
  Values places(keys.size());
  std::iota(places.begin(), places.end(), 0);
  Tensor key[2], value[2], counts = empty({cuda::sort_count_size(count)}, DType::i32, device);
  for (Tensor* pair : {key, value}) pair[1] = empty({count}, DType::i32, device);
  key[0] = from_vector({count}, Values(keys.begin(), keys.end()), device);
  value[0] = from_vector({count}, places, device);
  const auto as_keys = [](Tensor& tensor) {
    return reinterpret_cast<uint32_t*>(tensor.mutable_device_data<int32_t>());
  };
  const int which =
      cuda::radix_sort({},
                       {{as_keys(key[0]), as_keys(key[1])},
                        {value[0].mutable_device_data<int32_t>(), value[1].mutable_device_data<int32_t>()},
                        counts.mutable_device_data<int32_t>()},
                       count, bits);
  const Values result = to_vector<int32_t>(value[which]), sorted_keys = to_vector<int32_t>(key[which]);
  size_t wrong = 0;
  for (size_t i = 0; i < result.size(); ++i) wrong += uint32_t(sorted_keys[i]) != keys[size_t(result[i])];
  CHECK(wrong == 0);
  return result;
}

Values sorted_here(const Keys& keys, int bits) {
  Values places(keys.size());
  std::iota(places.begin(), places.end(), 0);
  const uint32_t mask = bits == 32 ? ~0u : (1u << bits) - 1;
  std::stable_sort(places.begin(), places.end(),
                   [&](int32_t a, int32_t b) { return (keys[size_t(a)] & mask) < (keys[size_t(b)] & mask); });
  return places;
}

Keys random_keys(int64_t count, uint32_t limit) {
  Keys keys(static_cast<size_t>(count));
  for (size_t i = 0; i < keys.size(); ++i) keys[i] = random_bits(1, limit, i).word[0] % limit;
  return keys;
}

}  // namespace

TEST_CASE("radix_sort: on a device it is the stable order, for any number of pairs and of equal keys") {
  if (!device_under_test()) return;
  for (const int64_t count : {0, 1, 32, 257, 1024, 1025, 2100})
    for (const uint32_t limit : {1u, 3u, 256u, 0xffffffffu}) {
      const Keys keys = random_keys(count, limit);
      const int bits = limit <= 256 ? 8 : 32;
      CHECK(sorted_on_device(keys, bits) == sorted_here(keys, bits));
    }
}

TEST_CASE("radix_sort: on a device only whole digits of the asked bits count, and none at all for 0 bits") {
  if (!device_under_test()) return;
  const Keys keys = random_keys(100, 0x10000);
  for (const int bits : {0, 8, 16}) CHECK(sorted_on_device(keys, bits) == sorted_here(keys, bits));
}

TEST_CASE("radix_sort: on a device more tiles than one block counts at once") {
  if (!device_under_test()) return;
  const Keys keys = random_keys(263000, 200);
  CHECK(sorted_on_device(keys, 8) == sorted_here(keys, 8));
}

TEST_CASE("radix_sort: keys in order, in reverse and all the largest, on a device") {
  if (!device_under_test()) return;
  Keys ascending(1500);
  std::iota(ascending.begin(), ascending.end(), 0xfffffa00u);
  Keys descending(ascending.rbegin(), ascending.rend());
  for (const Keys& keys : {ascending, descending, Keys(1500, 0xffffffffu)})
    CHECK(sorted_on_device(keys, 32) == sorted_here(keys, 32));
}

#ifdef LIMOE_SIMULATED
TEST_CASE("radix_sort: the order of lanes changes nothing") {
  using cuda::sim::LaneOrder;
  const Keys keys = random_keys(1200, 5);
  const LaneOrder order = cuda::sim::lane_order();
  for (const LaneOrder other : {LaneOrder::reverse, LaneOrder::shuffled}) {
    cuda::sim::set_lane_order(other, 3);
    const Values sorted = sorted_on_device(keys, 8);
    cuda::sim::set_lane_order(order);
    CHECK(sorted == sorted_here(keys, 8));
  }
}
#endif
