// Handles the program's own exceptions. The handler gets the registers as they were and may change
// them; when it returns the program continues with them. An exception within the handler ends the
// program.
#pragma once

#include "kernel/abi/reprise.h"

namespace user {

using ExceptionHandler = void (*)(reprise_frame& frame);

void handle_exceptions(ExceptionHandler handler);
void stop_handling_exceptions();

}  // namespace user
