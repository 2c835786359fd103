// See exceptions.hpp; the way into the handler and back is in exception_entry.asm.
#include "user/lib/exceptions.hpp"

#include "user/lib/calls.hpp"
#include "user/lib/checks.hpp"

extern "C" {
void exception_entry();
constinit user::ExceptionHandler exception_handler = nullptr;
}

namespace user {
namespace {

constinit reprise_frame frame{};

}  // namespace

void handle_exceptions(ExceptionHandler handler) {
  exception_handler = handler;
  REPRISE_CHECK(raw_call(REPRISE_SET_HANDLER, REPRISE_HANDLER_EXCEPTION,
                         reinterpret_cast<std::uint64_t>(exception_entry),
                         reinterpret_cast<std::uint64_t>(&frame)) == 0);
}

void stop_handling_exceptions() {
  REPRISE_CHECK(raw_call(REPRISE_SET_HANDLER, REPRISE_HANDLER_EXCEPTION) == 0);
}

}  // namespace user
