// How the machine is reset, by every way that there is.
#pragma once

#include <optional>

#include "user/init/acpi.hpp"

namespace reprise {

// All text is out first. `reset`: the firmware's way, if it has told of one.
[[noreturn]] void reboot_machine(const std::optional<ResetRegister>& reset);

}  // namespace reprise
