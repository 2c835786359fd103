// The world around the guest, by the kernel's calls and the drivers' services.
#pragma once

#include "user/monitor/outside.hpp"
#include "user/monitor/streams.hpp"

namespace monitor {

class RealOutside final : public Outside {
public:
  explicit RealOutside(Streams& streams) : streams_{streams} {}

  std::uint64_t time() override;
  void sleep_until(std::uint64_t time) override;
  void take_notes() override;
  Input read_input(std::span<char> room) override { return streams_.read(room); }
  CpuidWords cpuid(std::uint32_t leaf, std::uint32_t subleaf) override;
  std::uint64_t extended_components() override;
  void name(std::uint16_t port, bool is_write) override;
  void name_msr(std::uint32_t msr, bool is_write) override;

private:
  Streams& streams_;
};

}  // namespace monitor
