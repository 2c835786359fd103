// kernel/memory/frame_allocator.cpp over ordinary memory.
#include "kernel/memory/frame_allocator.hpp"

#include <array>
#include <set>
#include <stdexcept>

#include "tests/catch.hpp"
#include "tests/kernel/fakes/frames.hpp"

using namespace reprise;

namespace {

constexpr std::uint64_t base = fakes::first_frame * page_size;

std::set<std::uint64_t> take_all(FrameAllocator& frames) {
  std::set<std::uint64_t> taken;
  while (const auto frame = frames.allocate()) REQUIRE(taken.insert(frame->value()).second);
  return taken;
}

}  // namespace

TEST_CASE("every whole frame of the memory map is handed out once, and none else") {
  const std::array ranges{arch::MemoryRange{PhysAddr{base + 1}, 3 * page_size},
                          arch::MemoryRange{PhysAddr{base + 8 * page_size}, 2 * page_size + 100},
                          arch::MemoryRange{PhysAddr{base + 20 * page_size + 10}, page_size}};
  FrameAllocator frames;
  frames.initialize(ranges);
  CHECK(frames.free_frames() == 4);
  const std::uint64_t first = fakes::first_frame;
  CHECK(take_all(frames) == std::set<std::uint64_t>{first + 1, first + 2, first + 8, first + 9});
  CHECK(frames.free_frames() == 0);
}

TEST_CASE("released frames are handed out again before memory counts as exhausted") {
  FrameAllocator frames;
  frames.initialize(std::array{arch::MemoryRange{PhysAddr{base}, 8 * page_size}});
  const std::set<std::uint64_t> all = take_all(frames);
  for (std::uint64_t frame : all) frames.release(FrameNumber{frame});
  CHECK(frames.free_frames() == 8);
  CHECK(take_all(frames) == all);
}

TEST_CASE("adjacent frames follow each other within one range of memory") {
  const std::array ranges{arch::MemoryRange{PhysAddr{base}, 3 * page_size},
                          arch::MemoryRange{PhysAddr{base + 4 * page_size}, 8 * page_size}};
  FrameAllocator frames;
  frames.initialize(ranges);
  const auto run = frames.allocate_adjacent(5);
  REQUIRE(run);
  CHECK(run->value() == fakes::first_frame + 4);
  CHECK(frames.free_frames() == 6);
  CHECK_FALSE(frames.allocate_adjacent(4));
  const std::set<std::uint64_t> rest = take_all(frames);
  CHECK(rest.size() == 6);
  CHECK(rest.count(fakes::first_frame + 4) == 0);
}

TEST_CASE("a reserve is kept, by whom frames are asked for one by one or many at a time") {
  const std::array ranges{arch::MemoryRange{PhysAddr{base}, 8 * page_size}};
  FrameAllocator frames;
  frames.initialize(ranges);
  frames.set_reserve(5);
  CHECK_FALSE(frames.allocate_adjacent(4));
  CHECK(frames.allocate_adjacent(2));
  CHECK(frames.allocate());
  CHECK_FALSE(frames.allocate());
  CHECK(frames.free_frames() == 5);
  frames.set_reserve(0);
  CHECK(frames.allocate_adjacent(5));
}

TEST_CASE("the lowest frames are handed out first, in whatever order the memory map has them") {
  const std::array ranges{arch::MemoryRange{PhysAddr{base + 8 * page_size}, 2 * page_size},
                          arch::MemoryRange{PhysAddr{base}, page_size}};
  FrameAllocator frames;
  frames.initialize(ranges);
  for (const std::uint64_t frame : {0, 8, 9}) {
    CHECK(frames.allocate()->value() == fakes::first_frame + frame);
  }
}

TEST_CASE("a frame that the allocator never gave out is not taken back") {
  FrameAllocator frames;
  frames.initialize(std::array{arch::MemoryRange{PhysAddr{base}, 2 * page_size}});
  CHECK_THROWS_AS(frames.release(FrameNumber{fakes::first_frame + 100}), std::logic_error);
  CHECK_THROWS_AS(frames.release(FrameNumber{fakes::first_frame}), std::logic_error);
}
