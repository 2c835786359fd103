#include "tests/kernel/fakes/frames.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

#include "arch/boot_info.hpp"
#include "arch/direct_map.hpp"
#include "arch/frame_memory.hpp"
#include "arch/interrupts.hpp"
#include "arch/x86_64/kernel_tables.hpp"
#include "kernel/base/assert.hpp"

namespace {

alignas(4096) std::array<std::array<std::uint64_t, 512>, fakes::frame_count> memory;

}  // namespace

namespace reprise {

// A broken invariant is an exception here, so that a test can ask for it.
void panic_at(const char* file, int line, const char* what) {
  throw std::logic_error(std::string(file) + ":" + std::to_string(line) + ": " + what);
}

}  // namespace reprise

namespace arch {

using reprise::FrameNumber;

FrameWords frame_words(FrameNumber frame) {
  if (frame.value() - fakes::first_frame >= fakes::frame_count) {
    throw std::out_of_range("a frame that does not exist");
  }
  return FrameWords{memory[frame.value() - fakes::first_frame]};
}

std::uint64_t copy_frame_at_fault(FrameNumber to, FrameNumber from) {
  std::memcpy(frame_words(to).data(), frame_words(from).data(), reprise::page_size);
  return 0;
}

// The kernel's half of every address space: an empty table will do.
FrameNumber x86::kernel_root() { return FrameNumber{fakes::first_frame + fakes::frame_count - 1}; }

void admit_interrupts() { ++fakes::admissions; }

void clear_frame(FrameNumber frame) {
  std::memset(frame_words(frame).data(), 0, reprise::page_size);
}

}  // namespace arch

namespace fakes {

arch::MemoryRange all_memory() {
  return {reprise::PhysAddr{first_frame * reprise::page_size}, frame_count * reprise::page_size};
}

std::optional<reprise::FrameNumber> Frames::allocate() {
  if (left_ == 0) return std::nullopt;
  --left_;
  std::uint64_t frame = next_;
  if (returned_.empty()) {
    ++next_;
  } else {
    frame = *returned_.begin();
    returned_.erase(returned_.begin());
  }
  out_.insert(frame);
  arch::frame_words(reprise::FrameNumber{frame})[0] = 0xdeadbeefdeadbeef;
  return reprise::FrameNumber{frame};
}

void Frames::release(reprise::FrameNumber frame) {
  if (out_.erase(frame.value()) != 1) throw std::logic_error("a frame released that was not out");
  returned_.insert(frame.value());
  ++left_;
}

}  // namespace fakes
