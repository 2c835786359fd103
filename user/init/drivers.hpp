// The drivers that init knows (user/drivers): which of them this boot needs, what each is granted,
// and the arguments that describe its device. A driver of another name gets what `grant=` says,
// like any program.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "kernel/base/text_line.hpp"
#include "user/init/boot_info.hpp"
#include "user/init/pci.hpp"
#include "user/init/settings.hpp"

namespace reprise {

struct DriverStart {
  DriverStart() {}

  std::array<reprise_grant, 3> grants{};
  std::size_t grant_count = 0;
  std::array<TextLine, 8> words;  // behind argument zero
  std::size_t word_count = 0;
};

// What init has found, beside the framebuffer.
struct FoundDevices {
  std::uint8_t century_register = 0;    // the CMOS clock's; 0: there is none
  std::optional<MemoryWindow> channel;  // to the host, when streams=host wants it
};

// Nothing: this boot does not need the driver.
[[nodiscard]] std::optional<DriverStart> driver_start(std::string_view name,
                                                      const Framebuffer& framebuffer,
                                                      const FoundDevices& devices,
                                                      const Settings& settings);

}  // namespace reprise
