#include "user/init/drivers.hpp"

#include "kernel/base/address.hpp"
#include "user/drivers/services.hpp"

namespace reprise {
namespace {

void grant(DriverStart& start, reprise_grant_kind kind, std::uint64_t first, std::uint64_t last) {
  start.grants[start.grant_count] = {.kind = kind, .first = first, .last = last};
  ++start.grant_count;
}

template <class Part>
void add_word(DriverStart& start, const Part& part) {
  start.words[start.word_count].append(part);
  ++start.word_count;
}

DriverStart terminal(const Settings& settings) {
  constexpr std::uint64_t ports = 0x3f8, line = 4;  // COM1
  DriverStart start;
  grant(start, REPRISE_GRANT_PORT, ports, ports + 7);
  grant(start, REPRISE_GRANT_INTERRUPT, line, line);
  if (settings.console_serial) grant(start, REPRISE_GRANT_LOG, 0, 0);
  const bool typed = settings.input == Settings::Input::Terminal;
  add_word(start, typed ? std::string_view{"stdin=console"} : std::string_view{"stdin=none"});
  return start;
}

DriverStart screen(const Framebuffer& f) {
  DriverStart start;
  const std::uint64_t bytes = round_up(f.pitch * f.height);
  grant(start, REPRISE_GRANT_MEMORY, f.address, f.address + bytes - 1);
  grant(start, REPRISE_GRANT_LOG, 0, 0);
  for (const std::uint64_t fact :
       {f.address, f.pitch, f.width, f.height, f.bits, f.colours[0], f.colours[1], f.colours[2]}) {
    add_word(start, fact);
  }
  return start;
}

DriverStart clock(std::uint8_t century_register) {
  DriverStart start;
  grant(start, REPRISE_GRANT_PORT, 0x70, 0x71);
  add_word(start, century_register);
  return start;
}

DriverStart host(const MemoryWindow& channel) {
  DriverStart start;
  grant(start, REPRISE_GRANT_MEMORY, channel.address, channel.address + channel.bytes - 1);
  add_word(start, channel.address);
  return start;
}

}  // namespace

std::optional<DriverStart> driver_start(std::string_view name, const Framebuffer& framebuffer,
                                        const FoundDevices& devices, const Settings& settings) {
  if (name == "terminal") {
    const bool wanted = settings.console_serial || settings.input == Settings::Input::Terminal;
    return wanted ? std::optional{terminal(settings)} : std::nullopt;
  }
  if (name == "screen") {
    const bool wanted = settings.console_screen && framebuffer.bits != 0;
    return wanted ? std::optional{screen(framebuffer)} : std::nullopt;
  }
  if (name == service::host_name) {
    return devices.channel ? std::optional{host(*devices.channel)} : std::nullopt;
  }
  return name == "clock" ? clock(devices.century_register) : DriverStart{};
}

}  // namespace reprise
