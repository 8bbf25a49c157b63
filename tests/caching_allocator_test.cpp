#include "tensor/caching_allocator.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <thread>
#include <vector>

#include "tensor/error.h"

using namespace limoe;

namespace {

// A machine with a limited memory, which counts what it is asked for.
class SmallMachine final : public Backend {
 public:
  explicit SmallMachine(size_t bytes) : free_bytes_(bytes) {}
  ~SmallMachine() override { CHECK(blocks_.empty()); }

  void* allocate(size_t bytes) override {
    if (bytes > free_bytes_) return nullptr;
    void* const block = std::malloc(bytes);
    blocks_[block] = bytes;
    free_bytes_ -= bytes;
    return block;
  }
  void free(void* block) noexcept override {
    const auto found = blocks_.find(block);
    free_bytes_ += found->second;
    blocks_.erase(found);
    std::free(block);
  }
  size_t block_count() const { return blocks_.size(); }

  void copy_from_host(void*, const void*, size_t) override {}
  void copy_to_host(void*, const void*, size_t) override {}
  void copy(void*, const void*, size_t) override {}
  void copy_strided(void*, const Strides&, const void*, const Strides&, const Shape&, DType) override {}
  void zero(void*, size_t) override {}
  void poison(void* to, size_t bytes) override { std::memset(to, 0xff, bytes); }
  void add_into(void*, const void*, int64_t, DType) override {}
  void draw_normal(void*, int64_t, DType, const NormalDraws&) override {}
  void synchronize() override {}

 private:
  size_t free_bytes_;
  std::map<void*, size_t> blocks_;
};

struct Fixture {
  explicit Fixture(size_t bytes = 1 << 30) : machine(bytes), allocator(machine, "small") {}
  SmallMachine machine;
  CachingAllocator allocator;
};

// Allocates and releases blocks of these sizes, so that they are cached.
void cache(CachingAllocator& allocator, std::vector<size_t> sizes) {
  std::vector<CachingAllocator::Block> blocks;
  for (const size_t size : sizes) blocks.push_back(allocator.allocate(size));
  for (const auto& block : blocks) allocator.release(block);
}

}  // namespace

TEST_CASE("allocator: a released block is handed out again") {
  Fixture f;
  const auto first = f.allocator.allocate(1000);
  f.allocator.release(first);
  const auto second = f.allocator.allocate(1000);
  CHECK(second.data == first.data);
  CHECK(f.allocator.counts().backend_allocations == 1);
  f.allocator.release(second);
}

TEST_CASE("allocator: requests are rounded up to 64 bytes and counted so") {
  Fixture f;
  const auto block = f.allocator.allocate(65);
  CHECK(block.bytes == 128);
  CHECK(f.allocator.counts().live_bytes == 128);
  f.allocator.release(block);
  CHECK(f.allocator.counts().live_bytes == 0);
  CHECK(f.allocator.counts().cached_bytes == 128);
  CHECK(f.allocator.counts().peak_live_bytes == 128);
  f.allocator.reset_peak();
  CHECK(f.allocator.counts().peak_live_bytes == 0);
}

TEST_CASE("allocator: the smallest cached block that fits is taken") {
  Fixture f;
  cache(f.allocator, {4096, 1024, 2048});
  const auto block = f.allocator.allocate(1500);
  CHECK(block.bytes == 2048);
  f.allocator.release(block);
}

TEST_CASE("allocator: of equal cached blocks the one released last is taken") {
  Fixture f;
  const auto first = f.allocator.allocate(1024), second = f.allocator.allocate(1024),
             third = f.allocator.allocate(1024);
  for (const auto& block : {first, third, second}) f.allocator.release(block);
  for (const auto& expected : {second, third, first}) CHECK(f.allocator.allocate(1000).data == expected.data);
  for (const auto& block : {first, second, third}) f.allocator.release(block);
}

TEST_CASE("allocator: a block is reused when it has less than twice the size or less than two pages more") {
  const size_t page = 4096;
  const auto reused = [](size_t cached, size_t wanted) {
    Fixture f;
    cache(f.allocator, {cached});
    const auto block = f.allocator.allocate(wanted);
    f.allocator.release(block);
    return block.bytes == cached;
  };
  CHECK(reused(64 + 2 * page - 64, 64));
  CHECK_FALSE(reused(64 + 2 * page, 64));
  CHECK(reused(200 * page - 64, 100 * page));
  CHECK_FALSE(reused(200 * page, 100 * page));
  CHECK_FALSE(reused(100 * page, 200 * page));
}

TEST_CASE("allocator: no bytes are a null block that costs nothing") {
  Fixture f;
  const auto block = f.allocator.allocate(0);
  CHECK(block.data == nullptr);
  f.allocator.release(block);
  CHECK(f.allocator.counts().backend_allocations == 0);
  CHECK(f.allocator.counts().cached_bytes == 0);
}

TEST_CASE("allocator: a full machine gets its cached blocks back before a request fails") {
  Fixture f(10000);
  cache(f.allocator, {8000});
  const auto block = f.allocator.allocate(2560);  // 8000 would waste too much, and does not leave enough
  CHECK(f.allocator.counts().cached_bytes == 0);
  CHECK(f.machine.block_count() == 1);
  f.allocator.release(block);
}

TEST_CASE(
    "allocator: a request that cannot be met names bytes wanted, live and cached, and changes nothing") {
  Fixture f(10000);
  const auto live = f.allocator.allocate(6400);
  cache(f.allocator, {640});
  CHECK_THROWS_WITH_AS(
      f.allocator.allocate(9000),
      "allocator: 9024 bytes were asked for on small, where 6400 bytes are live and 0 cached; the most by no "
      "op (6400 in 1 tensor); lower --batch-size or raise --accum-freq, or use --grad-checkpointing",
      OutOfMemoryError);
  CHECK_THROWS_WITH_AS(f.allocator.allocate(SIZE_MAX - 3),
                       "allocator: 18446744073709551612 bytes were asked for on small; no machine has that",
                       OutOfMemoryError);
  CHECK(f.allocator.counts().live_bytes == 6400);
  f.allocator.release(live);
}

TEST_CASE("allocator: what holds the memory that ran out is told by op, largest first, five of them") {
  Fixture f(20000);
  std::vector<CachingAllocator::Block> blocks;
  const auto hold = [&](size_t bytes, const char* owner) {
    blocks.push_back(f.allocator.allocate(bytes));
    f.allocator.name(blocks.back().data, owner);
  };
  hold(640, "blocks.0/linear");
  hold(1280, "blocks.1.moe/linear");
  hold(1024, "parameters");
  for (const char* small : {"a", "b", "c", "d"}) hold(64, small);
  f.allocator.name(blocks[0].data, "reshape");  // a view's op does not take the memory over
  f.allocator.name(&f, "nobody");               // no block of this allocator
  const std::string held =
      "the most by linear (1920 in 2 tensors), parameters (1024 in 1 tensor), a (64 in 1 ";
  const auto message = [&] {
    try {
      f.allocator.allocate(20000);
    } catch (const OutOfMemoryError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(message().find(held + "tensor), b (64 in 1 tensor), c (64 in 1 tensor); lower") != std::string::npos);
  f.allocator.release(blocks[1]);
  CHECK(message().find("the most by parameters (1024 in 1 tensor), linear (640 in 1 tensor)") !=
        std::string::npos);
  blocks.erase(blocks.begin() + 1);
  for (const auto& block : blocks) f.allocator.release(block);
}

TEST_CASE("allocator: empty_cache gives everything back, and so does the end") {
  SmallMachine machine(1 << 20);
  {
    CachingAllocator allocator(machine, "small");
    cache(allocator, {100, 200});
    allocator.empty_cache();
    CHECK(machine.block_count() == 0);
    CHECK(allocator.counts().cached_bytes == 0);
    cache(allocator, {300});
  }
  CHECK(machine.block_count() == 0);
}

TEST_CASE("allocator: a repeated pattern of sizes asks the backend for nothing after its first pass") {
  Fixture f;
  const std::vector<size_t> step{100, 5000, 5000, 70000, 64, 123456};
  cache(f.allocator, step);
  const int64_t before = f.allocator.counts().backend_allocations;
  for (int i = 0; i < 10; ++i) cache(f.allocator, step);
  CHECK(f.allocator.counts().backend_allocations == before);
}

TEST_CASE("allocator: threads never hold the same block, and the counts return to zero") {
  Fixture f;
  std::vector<std::thread> threads;
  std::atomic<int> clashes{0};
  for (int id = 0; id < 4; ++id)
    threads.emplace_back([&, id] {
      for (int i = 0; i < 500; ++i) {
        const auto block = f.allocator.allocate(size_t(64 * (1 + i % 7)));
        std::memset(block.data, id, block.bytes);
        for (size_t at = 0; at < block.bytes; ++at) clashes += static_cast<char*>(block.data)[at] != id;
        f.allocator.release(block);
      }
    });
  for (std::thread& thread : threads) thread.join();
  CHECK(clashes == 0);
  CHECK(f.allocator.counts().live_bytes == 0);
}
