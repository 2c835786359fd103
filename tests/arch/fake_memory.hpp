// Physical memory for host tests: a few frames in an array, in the place of kernel_tables.cpp; an
// allocator that knows who has what; and a panic that a test can see (it throws).
#pragma once

#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "arch/direct_map.hpp"
#include "kernel/base/address.hpp"

struct Panic : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class FakeMemory final : public reprise::FrameSource {
public:
  static constexpr std::uint64_t first_frame = 0x80000;  // so that frame numbers are no indices
  static constexpr std::size_t frames = 512;

  FakeMemory();
  ~FakeMemory();
  FakeMemory(const FakeMemory&) = delete;
  FakeMemory& operator=(const FakeMemory&) = delete;

  std::optional<reprise::FrameNumber> allocate() override;  // full of rubbish
  void release(reprise::FrameNumber frame) override;        // throws unless allocated
  [[nodiscard]] std::uint64_t free_frames() const override { return limit_ - taken_.size(); }

  [[nodiscard]] arch::FrameWords words(reprise::FrameNumber frame);
  [[nodiscard]] std::size_t allocated() const { return taken_.size(); }
  [[nodiscard]] bool has(reprise::FrameNumber f) const { return taken_.contains(f.value()); }
  void limit(std::size_t most) { limit_ = most; }
  [[nodiscard]] const std::vector<std::uint64_t>& all_words() const { return words_; }
  [[nodiscard]] reprise::FrameNumber kernel_root() const { return kernel_root_; }

private:
  std::vector<std::uint64_t> words_;
  std::size_t first_word_ = 0;  // of the first frame
  std::set<std::uint64_t> taken_;
  std::size_t limit_ = frames - 1;
  reprise::FrameNumber kernel_root_{first_frame + frames - 1};  // its upper half is full
};
