// A small format for guests that are tests: the file begins with the 16 bytes of `magic`, is loaded
// at 100000h as it is, and entered at 100010h, behind them, with the number of bytes of memory in
// EBX. Command line and initrd are not used.
#pragma once

#include "kernel/base/result.hpp"
#include "user/monitor/boot/boot_image.hpp"

namespace monitor {

class TestImage {
public:
  static constexpr std::string_view magic{"REPRISE-GUEST\0\0\0", 16};
  static constexpr std::uint64_t place = 0x100000;

  [[nodiscard]] static bool is_one(Bytes kernel);
  [[nodiscard]] static reprise::Result<reprise_guest_state, LoadError> load(const BootImage& image,
                                                                            GuestMemory& memory);
};

// Loads either format.
[[nodiscard]] reprise::Result<reprise_guest_state, LoadError> load_image(const BootImage& image,
                                                                         GuestMemory& memory);

}  // namespace monitor
