#include "user/linux/heap.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <random>

#include "tests/user/linux/fake_process.hpp"

using namespace personality;

TEST_CASE("blocks are aligned, lie in the window and never overlap") {
  fake::reset(1 << 26);
  std::mt19937 random(1);
  std::map<std::uint64_t, std::size_t> blocks;
  for (int step = 0; step < 20000; ++step) {
    if (random() % 5 < 3) {
      const std::size_t bytes = 1 + random() % (random() % 10 == 0 ? 60000 : 300);
      void* block = heap().allocate(bytes);
      if (block == nullptr) continue;
      std::memset(block, static_cast<int>(step), bytes);
      const auto start = reinterpret_cast<std::uint64_t>(block);
      REQUIRE(start % (bytes >= 4096 ? 4096 : 8) == 0);
      REQUIRE(start >= heap().low());
      REQUIRE(start + bytes <= heap().high());
      const auto above = blocks.lower_bound(start);
      REQUIRE((above == blocks.end() || above->first >= start + bytes));
      if (above != blocks.begin()) {
        const auto below = std::prev(above);
        REQUIRE(below->first + below->second <= start);
      }
      blocks[start] = bytes;
    } else if (!blocks.empty()) {
      const auto chosen = std::next(blocks.begin(), static_cast<long>(random() % blocks.size()));
      heap().release(reinterpret_cast<void*>(chosen->first), chosen->second);
      blocks.erase(chosen);
    }
  }
}

TEST_CASE("an exhausted heap says so, and gives again what was released") {
  fake::reset(1 << 20);
  std::vector<void*> blocks;
  while (void* block = heap().allocate(4096)) blocks.push_back(block);
  CHECK(blocks.size() == (1 << 20) / 4096);
  CHECK(heap().allocate(64) == nullptr);
  heap().release(blocks.back(), 4096);
  CHECK(heap().allocate(4096) == blocks.back());
  CHECK(heap().allocate(std::size_t{1} << 50) == nullptr);
}

TEST_CASE("an exhausted heap splits larger blocks, and nothing of them is lost") {
  fake::reset(1 << 20);
  void* const large = heap().allocate(1 << 16);
  while (heap().allocate(4096) != nullptr) {
  }
  CHECK(heap().spare() == 0);
  heap().release(large, 1 << 16);
  CHECK(heap().spare() == 1 << 16);
  int count = 0;
  while (heap().allocate(512) != nullptr) ++count;
  CHECK(count == (1 << 16) / 512);
  CHECK(heap().spare() == 0);
}
