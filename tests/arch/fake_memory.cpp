#include "tests/arch/fake_memory.hpp"

#include "arch/direct_map.hpp"
#include "arch/interrupts.hpp"
#include "arch/x86_64/kernel_tables.hpp"
#include "kernel/base/assert.hpp"

namespace {
FakeMemory* memory = nullptr;
}

void arch::admit_interrupts() {}

// One page more than there are frames, so that the first one can begin at a multiple of a page.
FakeMemory::FakeMemory() : words_((frames + 1) * reprise::words_per_page, 0xdeadbeefdeadbeef) {
  const auto start = reinterpret_cast<std::uintptr_t>(words_.data());
  first_word_ = (reprise::page_size - start % reprise::page_size) % reprise::page_size / 8;
  memory = this;
  const auto root = words(kernel_root_);
  for (std::size_t i = 0; i < 512; ++i) root[i] = i < 256 ? 0 : 0x1000 * i | 3;
}

FakeMemory::~FakeMemory() { memory = nullptr; }

std::optional<reprise::FrameNumber> FakeMemory::allocate() {
  if (taken_.size() >= limit_) return std::nullopt;
  std::uint64_t frame = first_frame;
  while (taken_.contains(frame)) ++frame;
  taken_.insert(frame);
  for (auto& word : words(reprise::FrameNumber{frame})) word = 0xdeadbeefdeadbeef;
  return reprise::FrameNumber{frame};
}

void FakeMemory::release(reprise::FrameNumber frame) {
  if (taken_.erase(frame.value()) == 0) throw std::logic_error("released a frame nobody had");
}

arch::FrameWords FakeMemory::words(reprise::FrameNumber frame) {
  const std::uint64_t index = frame.value() - first_frame;
  if (index >= frames) throw std::out_of_range("no such frame");
  return arch::FrameWords{&words_[first_word_ + index * reprise::words_per_page],
                          reprise::words_per_page};
}

arch::FrameWords arch::frame_words(reprise::FrameNumber frame) { return memory->words(frame); }

reprise::FrameNumber arch::x86::kernel_root() { return memory->kernel_root(); }

void reprise::panic_at(const char*, int, const char* what) { throw Panic{what}; }
