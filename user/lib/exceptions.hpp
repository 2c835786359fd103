// Handling one's own exceptions: the handler gets the registers as they were, may change them, and
// the program continues with them when it returns. An exception within the handler ends the
// program.
#pragma once

#include "kernel/abi/reprise.h"

namespace user {

using ExceptionHandler = void (*)(reprise_frame& frame);

void handle_exceptions(ExceptionHandler handler);
void stop_handling_exceptions();

}  // namespace user
