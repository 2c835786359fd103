#include "kernel/ipc/ipc.hpp"

#include "arch/interrupts.hpp"
#include "arch/user_state.hpp"
#include "kernel/base/arithmetic.hpp"
#include "kernel/context/gate.hpp"

namespace reprise {
namespace {

using arch::Register;
using Bytes = Result<std::uint64_t, reprise_error>;

// The buffer that a context gives with its call.
struct Buffer {
  UserAddr address;
  std::uint64_t bytes, room;

  explicit Buffer(const Context& context)
      : address{context.registers()[Register::R8]},
        bytes{context.registers()[Register::R9] & 0xffffffff},
        room{context.registers()[Register::R9] >> 32} {}
};

Outcome check_buffer(const Context& context) {
  const Buffer buffer{context};
  if (larger(buffer.bytes, buffer.room) > REPRISE_MESSAGE_BYTES) {
    return Failure{REPRISE_BAD_ARGUMENT};
  }
  const bool good = context.space().readable(buffer.address, buffer.bytes) &&
                    context.space().writable(buffer.address, buffer.room);
  if (!good) return Failure{REPRISE_BAD_ADDRESS};
  return Done{};
}

// Words and bytes; the number of bytes. A failure leaves the receiver's words as they were.
Bytes transfer(const Context& from, Context& to) {
  const Buffer source{from}, target{to};
  if (source.bytes > target.room) return Failure{REPRISE_TOO_LONG};
  if (!from.space().readable(source.address, source.bytes)) return Failure{REPRISE_BAD_ADDRESS};
  for (std::uint64_t done = 0; done < source.bytes;) {
    arch::admit_interrupts();
    const auto piece = from.space().bytes_at(source.address + done, source.bytes - done);
    if (!Gate{to}.write_bytes(target.address + done, piece)) return Failure{REPRISE_NO_MEMORY};
    done += piece.size();
  }
  Gate{to}.message_words(from.registers());
  return source.bytes;
}

void end_call(Context& caller, const Bytes& result) {
  caller.mailbox.server = Mailbox::nobody;
  caller.status = ContextStatus::Ready;
  if (result) {
    Gate{caller}.call_result(result.value());
  } else {
    Gate{caller}.error(result.error());
  }
}

}  // namespace

Process* Ipc::living(std::uint64_t number) const {
  Process* const process = table_.find(number);
  return process == nullptr || process->has_ended() ? nullptr : process;
}

// Whether the first is the last, or waits for it directly or through others.
bool Ipc::waits_for(const Process& first, const Process& last) const {
  const Process* process = &first;
  while (process != nullptr && process != &last) {
    process = table_.find(process->context().mailbox.server);
  }
  return process != nullptr;
}

Outcome Ipc::call(Process& caller) {
  Context& context = caller.context();
  Process* const server = living(context.registers()[Register::Rdi]);
  if (server == nullptr || server == &caller) return Failure{REPRISE_GONE};
  if (const Outcome good = check_buffer(context); !good) return good;
  if (waits_for(*server, caller)) return Failure{REPRISE_DEADLOCK};
  ++calls_;
  context.mailbox.server = server->number();
  context.mailbox.received = false;
  context.mailbox.called = calls_;
  context.status = ContextStatus::Calling;
  if (server->context().status == ContextStatus::Receiving) deliver(caller, *server);
  return Done{};
}

// To the server that waits. A message that it cannot take fails for the caller alone.
void Ipc::deliver(Process& caller, Process& server) {
  Context& receiver = server.context();
  const Bytes bytes = transfer(caller.context(), receiver);
  if (!bytes) return end_call(caller.context(), bytes);
  caller.context().mailbox.received = true;
  Gate gate{receiver};
  gate.message_bytes(bytes.value());
  gate.call_result(caller.number());
  receiver.status = ContextStatus::Ready;
}

Outcome Ipc::answer(Process& server) {
  const std::uint64_t number = server.context().registers()[Register::Rdi];
  if (number == 0) return Done{};
  Process* const caller = living(number);
  if (caller == nullptr) return Failure{REPRISE_GONE};
  const Mailbox& mailbox = caller->context().mailbox;
  if (mailbox.server != server.number() || !mailbox.received) return Failure{REPRISE_GONE};
  const Bytes bytes = transfer(server.context(), caller->context());
  if (!bytes) return Failure{bytes.error()};
  end_call(caller->context(), bytes);
  return Done{};
}

Outcome Ipc::receive(Process& server) {
  Context& context = server.context();
  if (const Outcome good = check_buffer(context); !good) return good;
  if (const Outcome answered = answer(server); !answered) return answered;
  if (context.mailbox.notes != 0) {
    tell_notes(server);
    return Done{};
  }
  context.status = ContextStatus::Receiving;
  arch::expect_interrupts(server.grants().lines());
  while (context.status == ContextStatus::Receiving) {
    Process* const caller = first_caller_of(server);
    if (caller == nullptr) break;
    deliver(*caller, server);
  }
  return Done{};
}

Process* Ipc::first_caller_of(const Process& server) const {
  Process* first = nullptr;
  for (std::size_t i = 0; i < table_.size(); ++i) {
    const Context& context = table_[i].context();
    const Mailbox& box = context.mailbox;
    const bool waits =
        context.status == ContextStatus::Calling && box.server == server.number() && !box.received;
    if (!waits) continue;
    if (first == nullptr || box.called < first->context().mailbox.called) first = &table_[i];
  }
  return first;
}

void Ipc::tell_notes(Process& process) {
  Context& context = process.context();
  Gate{context}.notes(context.mailbox.notes);
  context.mailbox.notes = 0;
  context.status = ContextStatus::Ready;
}

void Ipc::notify(Process& process, std::uint64_t notes) {
  if (notes == 0) return;
  process.context().mailbox.notes |= notes;
  if (process.context().status == ContextStatus::Receiving) tell_notes(process);
}

void Ipc::set_alarm(Process& process, Nanoseconds time) {
  process.context().mailbox.alarm = time;
  earliest_alarm_ = smaller(earliest_alarm_, time);
}

void Ipc::notify_all(std::uint32_t lines, Nanoseconds now) {
  if (lines == 0 && now < earliest_alarm_) return;
  earliest_alarm_ = Mailbox::never;
  for (std::size_t i = 0; i < table_.size(); ++i) {
    Process& process = table_[i];
    Mailbox& mailbox = process.context().mailbox;
    std::uint64_t notes = process.grants().lines() & lines;
    if (mailbox.alarm <= now) {
      mailbox.alarm = Mailbox::never;
      notes |= REPRISE_NOTE_ALARM;
    }
    earliest_alarm_ = smaller(earliest_alarm_, mailbox.alarm);
    notify(process, notes);
  }
}

void Ipc::ended(Process& process) {
  process.context().mailbox = {};
  for (std::size_t i = 0; i < table_.size(); ++i) {
    Context& context = table_[i].context();
    if (context.mailbox.server == process.number()) end_call(context, Failure{REPRISE_GONE});
  }
}

}  // namespace reprise
