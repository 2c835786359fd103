// The instruction counter, chosen as init chooses it.
#pragma once

#include <optional>
#include <string_view>

#include "kernel/machine.hpp"
#include "user/init/settings.hpp"

namespace ground_truth {

// Its name; it is in use. Nothing: no memory for its test.
[[nodiscard]] std::optional<std::string_view> start_counter(reprise::Machine& machine,
                                                            reprise::Settings::Counter choice);

}  // namespace ground_truth
