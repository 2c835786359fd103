// The monitor's standard streams, which are the guest's console: the host's where they are served,
// else the log and the terminal driver. Input is read without waiting.
#pragma once

#include <cstdint>

#include "user/monitor/console.hpp"
#include "user/monitor/outside.hpp"

namespace monitor {

class Streams final : public TextOutput {
public:
  void write(std::string_view text) override;
  [[nodiscard]] Outside::Input read(std::span<char> room);

private:
  [[nodiscard]] Outside::Input read_terminal(std::span<char> room);
  [[nodiscard]] static Outside::Input read_host(std::span<char> room);

  std::int64_t terminal_ = 0;  // its process; 0: not looked for yet; negative: there is none
};

}  // namespace monitor
