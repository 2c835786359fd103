// Physical memory for host tests of kernel code: arch/frame_memory.hpp over ordinary memory, and a
// FrameSource that counts. Frame numbers are far from 0, so that a mix-up of numbers shows.
#pragma once

#include <cstddef>
#include <optional>
#include <set>

#include "arch/boot_info.hpp"
#include "kernel/base/address.hpp"

namespace fakes {

inline constexpr std::uint64_t first_frame = 0x4000;
inline constexpr std::size_t frame_count = 4096;

// All frames that exist, as the boot loader would describe them.
arch::MemoryRange all_memory();

// Hands out frames filled with rubbish, and knows which are out.
class Frames final : public reprise::FrameSource {
public:
  std::optional<reprise::FrameNumber> allocate() override;
  void release(reprise::FrameNumber frame) override;

  [[nodiscard]] std::uint64_t free_frames() const override { return left_; }

  [[nodiscard]] std::size_t out() const { return out_.size(); }
  void fail_after(std::size_t more) { left_ = more; }

private:
  std::set<std::uint64_t> out_;
  std::uint64_t next_ = first_frame;
  std::set<std::uint64_t> returned_;
  std::size_t left_ = frame_count;
};

inline std::size_t admissions = 0;  // how often device interrupts were let in

}  // namespace fakes
