// Checks the numbers in frame_offsets.inc against the compiled structures. It has no code.
#include <cstddef>

#include "kernel/abi/reprise.h"

static_assert(offsetof(reprise_frame, rip) == 128);
static_assert(sizeof(reprise_frame) == 168);
static_assert(offsetof(reprise_frame, rax) == 0 && offsetof(reprise_frame, rsp) == 56 &&
              offsetof(reprise_frame, r8) == 64 && offsetof(reprise_frame, r15) == 120 &&
              offsetof(reprise_frame, rflags) == 136);
static_assert(REPRISE_SET_HANDLER == 11 && REPRISE_HANDLER_EXCEPTION == 1);
