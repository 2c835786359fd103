// Loads a kernel by Linux's x86 boot protocol, version 2.10 or later, at its 32-bit entry
// (Linux, Documentation/arch/x86/boot.rst). Other programs use the protocol, too: memtest86+ does.
#pragma once

#include <optional>

#include "kernel/base/result.hpp"
#include "user/monitor/boot/boot_image.hpp"

namespace monitor {

class LinuxImage {
public:
  [[nodiscard]] static bool is_one(Bytes kernel);
  // Writes the guest's memory. The result is how the guest begins.
  [[nodiscard]] static reprise::Result<reprise_guest_state, LoadError> load(const BootImage& image,
                                                                            GuestMemory& memory);
};

}  // namespace monitor
