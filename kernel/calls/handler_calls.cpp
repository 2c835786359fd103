// Registers that a program cannot set itself, and the handlers it is entered at.
#include "kernel/base/memory_map.hpp"
#include "kernel/calls/native_calls.hpp"

namespace reprise::native_calls {

Answer set_base(Call& call) {
  const std::uint64_t base = call.first(), address = call.second();
  if (base > REPRISE_BASE_GS) return Failure{REPRISE_BAD_ARGUMENT};
  if (address >= user_high) return Failure{REPRISE_BAD_ADDRESS};
  const Gate::Base name = base == REPRISE_BASE_FS ? Gate::Base::Fs : Gate::Base::Gs;
  call.gate().set_base(name, UserAddr{address});
  return 0;
}

Answer set_handler(Call& call) {
  const std::uint64_t which = call.first();
  const UserAddr entry{call.second()}, frame{call.third()};
  if (which > REPRISE_HANDLER_EXCEPTION) return Failure{REPRISE_BAD_ARGUMENT};
  if (entry.value() >= user_high) return Failure{REPRISE_BAD_ADDRESS};
  if (which == REPRISE_HANDLER_SYSCALL) {
    call.context().syscall_entry = entry;
    return 0;
  }
  const bool removes = entry.value() == 0;
  if (!removes && !call.space().writable(frame, sizeof(reprise_frame))) {
    return Failure{REPRISE_BAD_ADDRESS};
  }
  call.context().exception_handler = {.entry = entry, .frame = frame};
  return 0;
}

// RAX is the frame's, like all other registers.
Answer resume(Call& call) {
  reprise_frame frame;
  if (const Outcome read = call.get(call.first(), frame); !read) return answer_of(read);
  if (frame.rip >= user_high) return Failure{REPRISE_BAD_ARGUMENT};
  call.gate().register_contents(frame);
  call.keep_registers();
  return 0;
}

}  // namespace reprise::native_calls
