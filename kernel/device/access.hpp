// Device access by a program. In its processing elements it cannot reach a device, so the access
// ends the PE as an exception. Once that is committed, the access is done here, once.
// Next: arch/device_access.hpp, how.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "kernel/process/process.hpp"

namespace reprise {

// Has the process carry out the instruction at which it stands, if that is an access to a device
// that it was granted; a repeated one as far as it gets in one go. `code` is the instruction's
// start, as many bytes as can be read. Returns the exception that remains to be served: `end` if it
// was no such access, or an exception that the access raised. Nothing: the process goes on.
[[nodiscard]] std::optional<dwc::PeEnd> access_device(Process& process, const dwc::PeEnd& end,
                                                      std::span<const std::uint8_t> code);

}  // namespace reprise
