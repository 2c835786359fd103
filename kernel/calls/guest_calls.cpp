// Guests: what their monitors may do with them. Nobody but its monitor knows a guest, and only
// while the guest waits can the monitor run; so all of it comes between two of the guest's PEs.
#include "arch/interrupts.hpp"
#include "kernel/abi/guest.h"
#include "kernel/base/arithmetic.hpp"
#include "kernel/calls/native_calls.hpp"
#include "kernel/context/register_frame.hpp"

namespace reprise::native_calls {
namespace {

constexpr std::uint64_t most_bytes = REPRISE_MESSAGE_BYTES;  // nobody else runs meanwhile
constexpr arch::Permissions all{.read = true, .write = true, .execute = true};

// The guest that the call names; nothing: there is none, it is over, or it is another's.
Context* guest_of(Call& call) {
  Process* const process = call.machine().processes.find(call.first());
  if (process == nullptr || process->has_ended()) return nullptr;
  const std::optional<Guest>& guest = process->context().guest();
  const bool own = guest && guest->monitor == call.process().number();
  return own ? &process->context() : nullptr;
}

// Copies piece by piece. Errors as the two spaces have them; a part may have been copied.
Outcome copy(const Context& from, UserAddr source, Context& to, UserAddr target,
             std::uint64_t bytes) {
  if (bytes > most_bytes) return Failure{REPRISE_TOO_LONG};
  if (!from.space().readable(source, bytes) || !to.space().writable(target, bytes)) {
    return Failure{REPRISE_BAD_ADDRESS};
  }
  for (std::uint64_t done = 0; done < bytes;) {
    arch::admit_interrupts();
    const auto piece = from.space().bytes_at(source + done, bytes - done);
    const Outcome written = Gate{to}.write_bytes(target + done, piece);
    if (!written) return written;
    done += piece.size();
  }
  return Done{};
}

}  // namespace

Answer guest_map(Call& call) {
  Context* const guest = guest_of(call);
  if (guest == nullptr) return Failure{REPRISE_GONE};
  const auto range = PageRange::of_guest(UserAddr{call.second()}, call.third());
  if (!range) return Failure{REPRISE_BAD_ADDRESS};
  return answer_of(Gate{*guest}.map_zero(*range, all));
}

Answer guest_write(Call& call) {
  Context* const guest = guest_of(call);
  if (guest == nullptr) return Failure{REPRISE_GONE};
  return answer_of(
      copy(call.context(), UserAddr{call.third()}, *guest, UserAddr{call.second()}, call.fourth()));
}

Answer guest_read(Call& call) {
  const Context* const guest = guest_of(call);
  if (guest == nullptr) return Failure{REPRISE_GONE};
  return answer_of(
      copy(*guest, UserAddr{call.second()}, call.context(), UserAddr{call.third()}, call.fourth()));
}

Answer guest_state(Call& call) {
  const Context* const guest = guest_of(call);
  if (guest == nullptr) return Failure{REPRISE_GONE};
  return answer_of(call.put(call.second(), guest_registers(guest->registers())));
}

Answer guest_set_state(Call& call) {
  Context* const guest = guest_of(call);
  if (guest == nullptr) return Failure{REPRISE_GONE};
  reprise_guest_state state;
  if (const Outcome read = call.get(call.second(), state); !read) return answer_of(read);
  Gate{*guest}.guest_state(state);
  return 0;
}

Answer guest_run(Call& call) {
  Context* const guest = guest_of(call);
  if (guest == nullptr) return Failure{REPRISE_GONE};
  reprise_guest_run run;
  if (const Outcome read = call.get(call.second(), run); !read) return answer_of(read);
  if (const Outcome ready = call.prepare(call.second(), sizeof run); !ready) {
    return answer_of(ready);
  }
  if (!Gate{*guest}.guest_answer(run)) return Failure{REPRISE_BAD_ARGUMENT};
  guest->guest()->run = UserAddr{call.second()};
  guest->guest()->deadline = run.deadline;
  guest->guest()->skipped += run.skip;
  guest->status = ContextStatus::Ready;
  call.context().status = ContextStatus::InGuest;
  return 0;
}

}  // namespace reprise::native_calls
