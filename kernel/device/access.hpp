// Device access by a program: what its processing element ended with, as an exception, is done here
// once, when the element is committed. Next: arch/device_instruction.hpp.
#pragma once

#include <optional>
#include <span>

#include "kernel/process/process.hpp"

namespace reprise {

// Has the process carry out the instruction at which it stands, if that is an access to a device
// that it was granted; a repeated one as far as it gets in one go. `code` is the instruction's
// start, as many bytes as can be read. The exception that remains to be served: `end` if it was
// none, or one that came of the access; nothing when the process goes on.
[[nodiscard]] std::optional<dwc::PeEnd> access_device(Process& process, const dwc::PeEnd& end,
                                                      std::span<const std::uint8_t> code);

}  // namespace reprise
