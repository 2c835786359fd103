// Resets the machine, by one way after another until one works.
#pragma once

#include <optional>

#include "user/init/acpi.hpp"

namespace reprise {

// Sends all text first. `reset` is the way that the firmware's tables name, if any.
[[noreturn]] void reboot_machine(const std::optional<ResetRegister>& reset);

}  // namespace reprise
