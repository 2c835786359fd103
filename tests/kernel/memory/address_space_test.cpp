// kernel/memory/address_space.cpp over the machine's own page-table code and ordinary memory.
#include "kernel/memory/address_space.hpp"

#include <array>
#include <vector>

#include "arch/direct_map.hpp"
#include "arch/frame_memory.hpp"
#include "arch/page_table.hpp"
#include "kernel/base/memory_map.hpp"
#include "tests/catch.hpp"
#include "tests/kernel/fakes/frames.hpp"

using namespace reprise;

namespace {

constexpr arch::Permissions read_only{};
constexpr arch::Permissions read_write{.read = true, .write = true};
constexpr std::uint64_t somewhere = mmap_low;

struct Fixture {
  Fixture() : zero{*frames.allocate()}, space{*AddressSpace::create(frames, zero)} {
    arch::clear_frame(zero);
  }
  PageRange pages(std::uint64_t start, std::uint64_t count) {
    return PageRange::of(UserAddr{start}, count * page_size).value();
  }
  // As the gate does it.
  void unmap(PageRange range) {
    space.for_each_mapped(range, [this](arch::Leaf page) { space.unmap(page); });
  }
  bool protect(PageRange range, arch::Permissions permissions) {
    if (!space.protectable(range)) return false;
    space.for_each_mapped(range,
                          [&](arch::Leaf page) { AddressSpace::protect(page, permissions); });
    return true;
  }
  fakes::Frames frames;
  FrameNumber zero;
  AddressSpace space;
};

std::array<std::byte, 10000> pattern() {
  std::array<std::byte, 10000> bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * 7 + i / 256);
  return bytes;
}

reprise_error error_of(const Outcome& result) {
  REQUIRE_FALSE(static_cast<bool>(result));
  return result.error();
}

}  // namespace

TEST_CASE("page ranges are whole, not empty, and within the user half") {
  const auto valid = [](std::uint64_t start, std::uint64_t bytes) {
    return static_cast<bool>(PageRange::of(UserAddr{start}, bytes));
  };
  CHECK(valid(user_low, page_size));
  CHECK(valid(user_high - page_size, page_size));
  CHECK_FALSE(valid(0, page_size));
  CHECK_FALSE(valid(user_low, 0));
  CHECK_FALSE(valid(user_low + 1, page_size));
  CHECK_FALSE(valid(user_low, page_size + 1));
  CHECK_FALSE(valid(user_high, page_size));
  CHECK_FALSE(valid(user_high - page_size, 2 * page_size));
  CHECK_FALSE(valid(~0ull << page_shift, page_size));
  CHECK_FALSE(valid(user_low, ~0ull << page_shift));
}

TEST_CASE("fresh pages read as zero and cost no frame until they are written") {
  Fixture f;
  REQUIRE(f.space.map_zero(f.pages(somewhere, 8), read_write));
  const std::size_t with_tables = f.frames.out();
  std::array<std::byte, 64> bytes{std::byte{1}};
  REQUIRE(f.space.read(UserAddr{somewhere + 4090}, bytes));
  for (std::byte b : bytes) CHECK(b == std::byte{0});
  CHECK(f.frames.out() == with_tables);
  REQUIRE(f.space.write(UserAddr{somewhere + 4090}, bytes));
  CHECK(f.frames.out() == with_tables + 2);
}

TEST_CASE("what is written across pages is read back, and nothing else changes") {
  Fixture f;
  REQUIRE(f.space.map_zero(f.pages(somewhere, 4), read_write));
  const auto written = pattern();
  REQUIRE(f.space.write(UserAddr{somewhere + 100}, written));
  std::array<std::byte, 10000> back{};
  REQUIRE(f.space.read(UserAddr{somewhere + 100}, back));
  CHECK(back == written);
  std::array<std::byte, 100> before{};
  REQUIRE(f.space.read(UserAddr{somewhere}, before));
  for (std::byte b : before) CHECK(b == std::byte{0});
  for (std::uint64_t word : arch::frame_words(f.zero)) CHECK(word == 0);
}

TEST_CASE("a transfer that the process could not make itself changes nothing") {
  Fixture f;
  REQUIRE(f.space.map_zero(f.pages(somewhere, 1), read_write));
  REQUIRE(f.space.map_zero(f.pages(somewhere + page_size, 1), read_only));
  std::array<std::byte, 32> bytes;
  bytes.fill(std::byte{0xaa});
  CHECK(error_of(f.space.write(UserAddr{somewhere + page_size - 16}, bytes)) ==
        REPRISE_BAD_ADDRESS);
  std::array<std::byte, 16> first{};
  REQUIRE(f.space.read(UserAddr{somewhere + page_size - 16}, first));
  for (std::byte b : first) CHECK(b == std::byte{0});
  CHECK(error_of(f.space.read(UserAddr{somewhere + 2 * page_size - 16}, bytes)) ==
        REPRISE_BAD_ADDRESS);
  for (std::uint64_t wild : {std::uint64_t{0}, user_high - 8, ~std::uint64_t{8}, kernel_base,
                             direct_map_base, std::uint64_t{1} << 63}) {
    CHECK(error_of(f.space.read(UserAddr{wild}, bytes)) == REPRISE_BAD_ADDRESS);
    CHECK(error_of(f.space.write(UserAddr{wild}, bytes)) == REPRISE_BAD_ADDRESS);
  }
}

TEST_CASE("what is prepared can be written to with no frame left, and is not changed by that") {
  Fixture f;
  REQUIRE(f.space.map_zero(f.pages(somewhere, 3), read_write));
  const UserAddr start{somewhere + page_size - 8};
  REQUIRE(f.space.prepare(start, page_size + 16));
  f.frames.fail_after(0);
  std::array<std::byte, page_size + 16> bytes;
  REQUIRE(f.space.read(start, bytes));
  for (std::byte b : bytes) CHECK(b == std::byte{0});
  bytes.fill(std::byte{0xaa});
  CHECK(f.space.write(start, bytes));
  CHECK(f.space.prepare(UserAddr{somewhere}, 0));
  CHECK(error_of(f.space.prepare(UserAddr{somewhere + 2 * page_size}, page_size + 1)) ==
        REPRISE_BAD_ADDRESS);
}

TEST_CASE("preparing says when no frame is left") {
  Fixture f;
  REQUIRE(f.space.map_zero(f.pages(somewhere, 1), read_write));
  f.frames.fail_after(0);
  CHECK(error_of(f.space.prepare(UserAddr{somewhere}, 1)) == REPRISE_NO_MEMORY);
}

TEST_CASE("a shared frame is copied before the kernel writes to its page, and never released") {
  Fixture f;
  const FrameNumber file = *f.frames.allocate();
  for (std::uint64_t& word : arch::frame_words(file)) word = 0x1111;
  REQUIRE(f.space.map_frames(f.pages(somewhere, 1), file, read_write));
  CHECK(error_of(f.space.map_frames(f.pages(somewhere, 2), file, read_only)) == REPRISE_OCCUPIED);
  std::array<std::byte, 8> bytes{};
  REQUIRE(f.space.write(UserAddr{somewhere}, bytes));
  CHECK(arch::frame_words(file)[0] == 0x1111);
  std::array<std::uint64_t, 2> back{};
  REQUIRE(f.space.read(UserAddr{somewhere}, std::as_writable_bytes(std::span{back})));
  CHECK(back == std::array<std::uint64_t, 2>{0, 0x1111});
  f.space.unmap_all();
  f.frames.release(file);  // throws if it had been released with the page
}

TEST_CASE("mapping over pages is refused, or replaces them by fresh ones, as asked") {
  Fixture f;
  REQUIRE(f.space.map_zero(f.pages(somewhere + page_size, 1), read_write));
  std::array<std::byte, 8> ones;
  ones.fill(std::byte{1});
  REQUIRE(f.space.write(UserAddr{somewhere + page_size}, ones));
  CHECK(error_of(f.space.map_zero(f.pages(somewhere, 3), read_only)) == REPRISE_OCCUPIED);
  CHECK_FALSE(f.space.readable(UserAddr{somewhere}, 1));
  f.unmap(f.pages(somewhere, 3));
  REQUIRE(f.space.map_zero(f.pages(somewhere, 3), read_only));
  REQUIRE(f.space.read(UserAddr{somewhere + page_size}, ones));
  for (std::byte b : ones) CHECK(b == std::byte{0});
}

TEST_CASE("a mapping that memory does not suffice for leaves nothing behind") {
  Fixture f;
  f.frames.fail_after(3);  // the tables for the first pages, and no more
  const PageRange wide = f.pages(somewhere, 2000);
  CHECK(error_of(f.space.map_zero(wide, read_write)) == REPRISE_NO_MEMORY);
  CHECK_FALSE(f.space.table().next_leaf(wide.first(), wide.end()));
}

TEST_CASE("once its tables are made a range can be mapped with no frame left") {
  Fixture f;
  const PageRange wide = f.pages(somewhere + page_size, 1025);  // three tables, and two above them
  REQUIRE(f.space.map_zero(f.pages(somewhere, 2), read_write));
  f.frames.fail_after(1);
  CHECK(error_of(f.space.make_tables(wide)) == REPRISE_NO_MEMORY);
  CHECK(f.space.readable(UserAddr{somewhere}, 2 * page_size));
  f.frames.fail_after(1);
  CHECK(f.space.make_tables(wide));
  f.frames.fail_after(0);
  CHECK(f.space.readable(UserAddr{somewhere}, 2 * page_size));
  f.unmap(wide);
  CHECK(f.space.map_zero(wide, read_write));
}

TEST_CASE("protecting needs every page, and takes rights away from the kernel's own writes too") {
  Fixture f;
  REQUIRE(f.space.map_zero(f.pages(somewhere, 2), read_write));
  CHECK_FALSE(f.protect(f.pages(somewhere, 3), read_only));
  CHECK(f.space.writable(UserAddr{somewhere}, 2 * page_size));
  REQUIRE(f.protect(f.pages(somewhere, 1), read_only));
  CHECK_FALSE(f.space.writable(UserAddr{somewhere}, 1));
  CHECK(f.space.readable(UserAddr{somewhere}, 1));
  REQUIRE(f.protect(f.pages(somewhere, 1), {.read = false}));
  CHECK_FALSE(f.space.readable(UserAddr{somewhere}, 1));
}

TEST_CASE("device memory is out of reach for the kernel and cannot be made ordinary") {
  Fixture f;
  REQUIRE(f.space.map_frames(f.pages(somewhere, 2), FrameNumber{0xfed00}, {.read = false},
                             arch::Ownership::Device));
  CHECK(f.space.is_device(UserAddr{somewhere + 4096}));
  CHECK_FALSE(f.space.is_device(UserAddr{somewhere + 8192}));
  CHECK_FALSE(f.space.is_device(UserAddr{user_high}));
  CHECK_FALSE(f.space.readable(UserAddr{somewhere}, 1));
  CHECK_FALSE(f.space.writable(UserAddr{somewhere}, 1));
  CHECK_FALSE(f.protect(f.pages(somewhere, 1), read_write));
  CHECK(error_of(f.space.map_frames(f.pages(somewhere, 1), FrameNumber{1}, {.read = false},
                                    arch::Ownership::Device)) == REPRISE_OCCUPIED);
  f.unmap(f.pages(somewhere, 1));
  REQUIRE(f.space.map_zero(f.pages(somewhere, 1), read_write));
  CHECK_FALSE(f.space.is_device(UserAddr{somewhere}));
  f.unmap(f.pages(somewhere, 2));
  CHECK_FALSE(f.space.is_device(UserAddr{somewhere + 4096}));
}

TEST_CASE("the start of a range is read as far as it is mapped") {
  Fixture f;
  REQUIRE(f.space.map_zero(f.pages(somewhere, 1), read_write));
  std::array<std::byte, 15> bytes{};
  CHECK(f.space.read_start(UserAddr{somewhere + 4096 - 15}, bytes) == 15);
  CHECK(f.space.read_start(UserAddr{somewhere + 4096 - 3}, bytes) == 3);
  CHECK(f.space.read_start(UserAddr{somewhere + 4096}, bytes) == 0);
  CHECK(f.space.read_start(UserAddr{~std::uint64_t{0}}, bytes) == 0);
}

TEST_CASE("a space that ends gives every frame back") {
  fakes::Frames frames;
  const FrameNumber zero = *frames.allocate();
  arch::clear_frame(zero);
  {
    AddressSpace space = *AddressSpace::create(frames, zero);
    const auto range = PageRange::of(UserAddr{somewhere}, 600 * page_size);
    REQUIRE(space.map_zero(range.value(), read_write));
    REQUIRE(space.write(UserAddr{somewhere + 100 * page_size}, pattern()));
    CHECK(frames.out() > 5);
  }
  CHECK(frames.out() == 1);  // the zero frame itself
}

TEST_CASE("ending a process gives back its frames and its tables at once") {
  Fixture f;
  const std::size_t empty = f.frames.out();
  for (std::uint64_t i = 0; i < 20; ++i) {  // each in a table of its own
    REQUIRE(f.space.map_zero(f.pages(somewhere + (i << 30), 1), read_write));
  }
  const std::array<std::byte, 8> bytes{};
  REQUIRE(f.space.write(UserAddr{somewhere}, bytes));
  f.space.unmap_all();
  CHECK(f.frames.out() == empty);
  CHECK_FALSE(f.space.table().next_leaf(page_of(UserAddr{user_low}), page_of(UserAddr{user_high})));
}

TEST_CASE("interrupts do not wait for the end of a call over many pages") {
  Fixture f;
  const PageRange range = f.pages(somewhere, 1024);
  const auto admitted_by = [](auto call) {
    fakes::admissions = 0;
    call();
    return fakes::admissions;
  };
  CHECK(admitted_by([&] { CHECK(f.space.map_zero(range, read_write)); }) >= 8);
  CHECK(admitted_by([&] { CHECK(f.protect(range, read_only)); }) >= 16);
  CHECK(admitted_by([&] { f.unmap(range); }) >= 8);
  CHECK(f.space.map_zero(range, read_write));
  CHECK(admitted_by([&] { f.space.unmap_all(); }) >= 2);
}
