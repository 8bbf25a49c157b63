#include "tensor/host_slabs.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <thread>
#include <vector>

using namespace limoe;

namespace {

constexpr size_t kLeast = HostSlabs::kLeastInSlab, kSlab = HostSlabs::kSlab;

struct Block {
  unsigned char* data;
  size_t bytes;
  unsigned char mark;

  bool is_marked() const {
    return std::all_of(data, data + bytes, [&](unsigned char byte) { return byte == mark; });
  }
};

Block marked_block(HostSlabs& slabs, size_t bytes, unsigned char mark) {
  auto* const data = static_cast<unsigned char*>(slabs.allocate(bytes));
  REQUIRE(data != nullptr);
  std::fill_n(data, bytes, mark);
  return {data, bytes, mark};
}

// With AddressSanitizer there are no slabs.
size_t slabs_or_none(size_t slabs) {
  return HostSlabs::kUsed ? slabs : 0;
}

}  // namespace

TEST_CASE("host_slabs: blocks are aligned and apart, whatever is freed between them") {
  HostSlabs slabs;
  std::vector<Block> blocks;
  unsigned char mark = 0;
  for (const size_t bytes : {size_t{1}, size_t{100}, kLeast - 1, kLeast, kLeast + 1, 5 * kLeast + 63,
                             kSlab / 2, kSlab / 2 + 1, 2 * kSlab + 7, kLeast})
    blocks.push_back(marked_block(slabs, bytes, ++mark));
  for (const Block& block : blocks) {
    CHECK(uintptr_t(block.data) % HostSlabs::kAlignment == 0);
    CHECK(block.is_marked());
  }
  for (size_t i = 0; i < blocks.size(); i += 2) slabs.free(blocks[i].data);
  const Block later = marked_block(slabs, 3 * kLeast, 99);
  for (size_t i = 1; i < blocks.size(); i += 2) CHECK(blocks[i].is_marked());
  CHECK(later.is_marked());
  for (size_t i = 1; i < blocks.size(); i += 2) slabs.free(blocks[i].data);
  slabs.free(later.data);
  CHECK(slabs.slab_count() == 0);
}

TEST_CASE("host_slabs: blocks share a slab, a large one has its own, a small one none") {
  HostSlabs slabs;
  void* const small = slabs.allocate(kLeast - 64);
  CHECK(slabs.slab_count() == 0);
  void* const first = slabs.allocate(kSlab / 4);
  void* const second = slabs.allocate(kSlab / 2);
  CHECK(slabs.slab_count() == slabs_or_none(1));
  void* const own = slabs.allocate(kSlab / 2 + 1);
  CHECK(slabs.slab_count() == slabs_or_none(2));
  void* const third = slabs.allocate(kSlab / 4);  // in what the first slab has left
  CHECK(slabs.slab_count() == slabs_or_none(2));
  void* const fourth = slabs.allocate(kLeast);
  CHECK(slabs.slab_count() == slabs_or_none(3));
  slabs.free(own);
  CHECK(slabs.slab_count() == slabs_or_none(2));
  for (void* const block : {first, second, third}) slabs.free(block);
  CHECK(slabs.slab_count() == slabs_or_none(1));
  slabs.free(fourth);
  slabs.free(small);
  slabs.free(nullptr);
  CHECK(slabs.slab_count() == 0);
  CHECK(slabs.allocate(SIZE_MAX - 10) == nullptr);
  CHECK(slabs.slab_count() == 0);
}

TEST_CASE("host_slabs: several threads") {
  HostSlabs slabs;
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (unsigned char id = 0; id < 4; ++id)
    threads.emplace_back([&, id] {
      for (size_t i = 0; i < 50; ++i) {
        const size_t bytes = kLeast + i * 4096;
        auto* const data = static_cast<unsigned char*>(slabs.allocate(bytes));
        std::fill_n(data, bytes, id);
        wrong[id] += !Block{data, bytes, id}.is_marked();
        slabs.free(data);
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == std::vector<int>(4, 0));
  CHECK(slabs.slab_count() == 0);
}
