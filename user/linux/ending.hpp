// The end of the process. Before it, the files that the host asks for go there
// (user/drivers/host_channel.hpp).
#pragma once

namespace personality {

// For all ends but the personality's own failures, which cannot be trusted with files.
[[noreturn]] void end_process(int status);

}  // namespace personality
