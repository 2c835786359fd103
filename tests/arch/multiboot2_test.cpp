#include "arch/x86_64/multiboot2.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <random>
#include <stdexcept>
#include <vector>

#include "tests/boot_blob.hpp"
#include "tests/catch.hpp"

using arch::BootStorage;
using arch::MemoryRange;
using boot_blob::Blob;
using boot_blob::blob_at;
using boot_blob::usual;
using reprise::PhysAddr;

void reprise::panic_at(const char*, int, const char* what) { throw std::logic_error(what); }

namespace {

constexpr MemoryRange image{PhysAddr{0x100000}, 0x45678};

std::optional<std::string_view> parse(const std::vector<std::byte>& blob, BootStorage& storage) {
  storage = {};
  const auto parsed = arch::parse_boot_info(blob, PhysAddr{blob_at}, image, storage);
  if (parsed) return std::nullopt;
  return parsed.error();
}

bool free_at(const BootStorage& storage, std::uint64_t address) {
  for (const MemoryRange& r : storage.info.memory) {
    if (address >= r.start.value() && address - r.start.value() < r.size) return true;
  }
  return false;
}

std::uint64_t free_bytes(const BootStorage& storage) {
  std::uint64_t bytes = 0;
  for (const MemoryRange& r : storage.info.memory) bytes += r.size;
  return bytes;
}

}  // namespace

TEST_CASE("modules and memory come out as they were put in") {
  const auto bytes = usual()
                         .module(0x300000, 0x301234, "program=sh sh -c 'ls'")
                         .module(0x400000, 0x400000, "archive")
                         .finish();
  BootStorage storage;
  REQUIRE_FALSE(parse(bytes, storage));
  REQUIRE(storage.info.modules.size() == 2);
  CHECK(storage.info.modules[0].start == PhysAddr{0x300000});
  CHECK(storage.info.modules[0].size == 0x1234);
  CHECK(storage.info.modules[1].size == 0);
  CHECK(storage.info.blob.start == PhysAddr{blob_at});
  CHECK(storage.info.blob.size == bytes.size());
  CHECK(storage.info.total_memory == 0x9f000 + 0x7ee0000);  // whole pages
  CHECK_FALSE(storage.info.init);
  CHECK_FALSE(storage.info.personality);
}

TEST_CASE("init and personality are the first modules of just that string") {
  Blob blob = usual();
  for (const char* string : {"program=init", "ini", "init x", "personality2", "", "init",
                             "personality", "personality", "init"}) {
    blob.module(0x300000, 0x300100, string);
  }
  BootStorage storage;
  REQUIRE_FALSE(parse(blob.finish(), storage));
  CHECK(storage.info.init == 5);
  CHECK(storage.info.personality == 6);

  blob = usual();  // a text that ends with its tag
  blob.begin(3).number<std::uint32_t>(0x300000).number<std::uint32_t>(0x300100);
  for (const char c : {'i', 'n', 'i', 't'}) blob.number(c);
  REQUIRE_FALSE(parse(blob.end().finish(), storage));
  CHECK(storage.info.init == 0);
}

TEST_CASE("memory in use is not free: first MiB, image, modules, boot information, in pages") {
  const auto bytes = usual().module(0x300000, 0x301001, "archive").finish();
  BootStorage storage;
  REQUIRE_FALSE(parse(bytes, storage));
  for (const std::uint64_t taken :
       {std::uint64_t{0x1000}, std::uint64_t{0x100000}, std::uint64_t{0x145fff}, blob_at,
        blob_at + 0xfff, std::uint64_t{0x300000}, std::uint64_t{0x301fff}}) {
    INFO(taken);
    CHECK_FALSE(free_at(storage, taken));
  }
  for (const std::uint64_t free : {std::uint64_t{0x146000}, blob_at - 1, blob_at + 0x1000,
                                   std::uint64_t{0x302000}, std::uint64_t{0x7fdffff}}) {
    INFO(free);
    CHECK(free_at(storage, free));
  }
  CHECK_FALSE(free_at(storage, 0x7fe0000));
  for (const MemoryRange& r : storage.info.memory) {
    CHECK(r.start.value() % 4096 == 0);
    CHECK(r.size % 4096 == 0);
  }
}

TEST_CASE("what one entry reserves is not free because another calls it available") {
  Blob blob;
  blob.memory_map().memory(0x500000, 0x10000, 2).memory(0x100000, 0x1000000, 1);
  blob.memory(0x600000, 0x1000, 4);
  BootStorage storage;
  REQUIRE_FALSE(parse(blob.end().finish(), storage));
  CHECK_FALSE(free_at(storage, 0x500000));
  CHECK_FALSE(free_at(storage, 0x600fff));
  CHECK(free_at(storage, 0x601000));
}

TEST_CASE("available entries that touch, overlap or repeat count once") {
  Blob blob;
  blob.memory_map().memory(0x500000, 0x10000, 1).memory(0x510000, 0x10000, 1);
  blob.memory(0x518000, 0x10000, 1);
  blob.memory(0x500000, 0x10000, 1).memory(0x4ff000, 0x40000, 1).memory(0x500000, 0x1000, 1);
  BootStorage storage;
  REQUIRE_FALSE(parse(blob.end().finish(), storage));
  CHECK(storage.info.total_memory == 0x40000);
  CHECK(free_bytes(storage) == 0x40000);
}

TEST_CASE("only whole pages come in, and a page goes out when a byte of it does") {
  Blob blob;
  blob.memory_map().memory(0x501001, 0x6ffe, 1).memory(0x509001, 0xffe, 1).memory(0x503fff, 1, 2);
  blob.memory(0x505800, 0, 2);
  BootStorage storage;
  REQUIRE_FALSE(parse(blob.end().finish(), storage));
  CHECK(storage.info.total_memory == 0x4000);
  CHECK(free_bytes(storage) == 0x4000);
  CHECK_FALSE(free_at(storage, 0x501fff));
  CHECK(free_at(storage, 0x502000));
  CHECK_FALSE(free_at(storage, 0x503000));
  CHECK(free_at(storage, 0x505800));
  CHECK(free_at(storage, 0x506fff));
  CHECK_FALSE(free_at(storage, 0x507000));
  CHECK_FALSE(free_at(storage, 0x509800));
}

TEST_CASE("of more free ranges than there is room for the smallest are lost") {
  Blob blob;
  blob.memory_map();
  const std::uint64_t count = arch::max_memory_ranges + 20;
  for (std::uint64_t i = 0; i < count; ++i) {  // of 1 to 10 pages
    blob.memory(0x1000000 + i * 0x10000, 0x1000 * (i % 10 + 1), 1);
  }
  blob.memory(0x800000, 0x800000, 1);
  BootStorage storage;
  REQUIRE_FALSE(parse(blob.end().finish(), storage));
  std::vector<std::uint64_t> sizes;
  for (const MemoryRange& r : storage.info.memory) sizes.push_back(r.size);
  std::sort(sizes.begin(), sizes.end());
  CHECK(sizes.size() == arch::max_memory_ranges);
  CHECK(sizes.back() == 0x800000);
  CHECK(sizes.front() == 0x2000);  // 15 of one page are lost, and 6 of two
  CHECK(std::count(sizes.begin(), sizes.end(), 0x2000u) == 9);
  CHECK(storage.info.total_memory == 0x800000 + 0x1000 * (14 * 55 + 36));
}

TEST_CASE("1024 entries of the memory map are taken, one more is refused") {
  Blob blob;
  blob.memory_map();
  for (std::uint64_t i = 0; i < 1024; ++i) blob.memory(0x1000000 + i * 0x1000, 0x1000, 1);
  Blob one_more = blob;
  BootStorage storage;
  CHECK_FALSE(parse(blob.end().finish(), storage));
  CHECK(storage.info.total_memory == 0x400000);
  CHECK(parse(one_more.memory(0x100000, 0x1000, 2).end().finish(), storage));
}

TEST_CASE("random memory maps leave the pages free that a table of all pages has free") {
  std::mt19937 random{20240607};
  constexpr std::uint64_t page = reprise::page_size, first = 0xf0, pages = 0x200;
  for (int round = 0; round < 2'000; ++round) {
    std::array<bool, pages> available{}, taken{};
    const auto mark = [&](std::array<bool, pages>& table, std::uint64_t start, std::uint64_t end) {
      for (std::uint64_t i = start; i < end; ++i) {
        if (i >= first && i - first < pages) table[i - first] = true;
      }
    };
    Blob blob;
    blob.memory_map();
    for (std::uint64_t i = 1 + random() % 20; i > 0; --i) {
      const bool usable = random() % 3 != 0;
      const std::uint64_t longest = usable ? 80 * page : 20 * page;
      std::uint64_t start = first * page + random() % ((pages - 80) * page);
      std::uint64_t size = random() % longest;
      if (random() % 2 == 0) start = reprise::round_down(start), size = reprise::round_down(size);
      blob.memory(start, size, usable ? 1 : 2 + random() % 4);
      if (usable) mark(available, (start + page - 1) / page, (start + size) / page);
      if (!usable && size != 0) mark(taken, start / page, (start + size + page - 1) / page);
    }
    blob.end();
    std::uint64_t total = 0;
    for (std::uint64_t i = 0; i < pages; ++i) total += available[i] && !taken[i] ? page : 0;
    for (std::uint64_t i = random() % 4; i > 0; --i) {
      const std::uint64_t start = first + random() % pages, size = random() % (9 * page);
      blob.module(static_cast<std::uint32_t>(start * page),
                  static_cast<std::uint32_t>(start * page + size), "program=x");
      mark(taken, start, start + (size + page - 1) / page);
    }
    const auto bytes = blob.finish();
    mark(taken, 0, 0x100);
    mark(taken, 0x100, 0x146);  // the image
    mark(taken, blob_at / page, (blob_at + bytes.size() + page - 1) / page);
    INFO("round " << round);
    BootStorage storage;
    std::uint64_t expected = 0;
    for (std::uint64_t i = 0; i < pages; ++i) expected += available[i] && !taken[i] ? page : 0;
    const auto problem = parse(bytes, storage);
    REQUIRE(storage.info.total_memory == total);
    REQUIRE(problem.has_value() == (expected == 0));
    if (problem) continue;
    REQUIRE(free_bytes(storage) == expected);
    for (std::uint64_t i = 0; i < pages; ++i) {
      REQUIRE(free_at(storage, (first + i) * page) == (available[i] && !taken[i]));
    }
  }
}

TEST_CASE("an entry that wraps around the address space is cut at its end") {
  Blob blob;
  blob.memory_map().memory(0x100000, 0x1000000, 1).memory(0x100000000, ~0ull, 1);
  blob.memory(~0ull, 5, 1);
  BootStorage storage;
  REQUIRE_FALSE(parse(blob.end().finish(), storage));
  CHECK(free_at(storage, (1ull << 52) - 1));
  CHECK_FALSE(free_at(storage, 1ull << 52));
}

TEST_CASE("a module that does not start at a page, or ends before it starts, is refused") {
  BootStorage storage;
  CHECK(parse(usual().module(0x300010, 0x301000, "archive").finish(), storage));
  CHECK(parse(usual().module(0x300000, 0x2ff000, "archive").finish(), storage));
}

TEST_CASE("64 modules are taken, one more is refused") {
  Blob blob = usual();
  for (std::uint32_t i = 0; i < 64; ++i) {
    blob.module(0x300000 + i * 0x1000, 0x300100 + i * 0x1000, "x");
  }
  BootStorage storage;
  Blob one_more = blob;
  CHECK_FALSE(parse(blob.finish(), storage));
  CHECK(storage.info.modules.size() == 64);
  CHECK(parse(one_more.module(0x500000, 0x500100, "x").finish(), storage));
}

TEST_CASE("no memory map, or one with nothing available, is refused") {
  BootStorage storage;
  CHECK(parse(Blob{}.finish(), storage));
  Blob blob;
  blob.memory_map().memory(0x100000, 0x1000, 2);
  CHECK(parse(blob.end().finish(), storage));
}

TEST_CASE("cut off anywhere, the blob is refused and nothing behind its end is read") {
  const auto whole = usual().module(0x300000, 0x301000, "archive").framebuffer(32, 1).finish();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    // An allocation of its own for each size: the address sanitizer sees a read behind it.
    const auto copy = std::make_unique<std::byte[]>(size);
    std::copy_n(whole.begin(), size, copy.get());
    BootStorage storage;
    INFO(size);
    CHECK_FALSE(arch::parse_boot_info({copy.get(), size}, PhysAddr{blob_at}, image, storage));
  }
}

TEST_CASE("random damage is refused or read within bounds") {
  const auto whole = usual().module(0x300000, 0x301000, "archive").framebuffer(32, 1).finish();
  std::mt19937 random{7};
  for (int round = 0; round < 20'000; ++round) {
    auto bytes = whole;
    for (int flips = 0; flips < 3; ++flips) {
      bytes[random() % bytes.size()] ^= static_cast<std::byte>(1u << random() % 8);
    }
    BootStorage storage;
    if (parse(bytes, storage)) continue;
    CHECK_FALSE(free_at(storage, 0x100000));
    CHECK_FALSE(free_at(storage, blob_at));
    CHECK(storage.info.modules.size() <= 1);
  }
}
