#include "kernel/ipc/ipc.hpp"

#include "arch/interrupts.hpp"
#include "arch/user_state.hpp"
#include "kernel/base/arithmetic.hpp"

namespace reprise {
namespace {

using arch::Register;

// The buffer that a process gives with its call.
struct Buffer {
  UserAddr address;
  std::uint64_t bytes, room;

  explicit Buffer(const Process& process)
      : address{process.registers()[Register::R8]},
        bytes{process.registers()[Register::R9] & 0xffffffff},
        room{process.registers()[Register::R9] >> 32} {}
};

std::int64_t check(Process& process) {
  const Buffer buffer{process};
  if (larger(buffer.bytes, buffer.room) > REPRISE_MESSAGE_BYTES) return -REPRISE_BAD_ARGUMENT;
  const bool good = process.space().readable(buffer.address, buffer.bytes) &&
                    process.space().writable(buffer.address, buffer.room);
  return good ? 0 : -REPRISE_BAD_ADDRESS;
}

// Words and bytes; the number of bytes. What fails has left the receiver's words as they were.
std::int64_t transfer(Process& from, Process& to) {
  const Buffer source{from}, target{to};
  if (source.bytes > target.room) return -REPRISE_TOO_LONG;
  if (!from.space().readable(source.address, source.bytes)) return -REPRISE_BAD_ADDRESS;
  for (std::uint64_t done = 0; done < source.bytes;) {
    arch::admit_interrupts();
    const auto piece = from.space().bytes_at(source.address + done, source.bytes - done);
    if (!to.space().write(target.address + done, piece)) return -REPRISE_NO_MEMORY;
    done += piece.size();
  }
  for (const Register word : {Register::Rsi, Register::Rdx, Register::R10})
    to.registers()[word] = from.registers()[word];
  return static_cast<std::int64_t>(source.bytes);
}

void wake(Process& process, std::int64_t result) {
  process.registers()[Register::Rax] = static_cast<std::uint64_t>(result);
  process.status = ProcessStatus::Ready;
}

void end_call(Process& caller, std::int64_t result) {
  caller.mailbox.server = nullptr;
  wake(caller, result);
}

}  // namespace

Process* Ipc::process_at(std::uint64_t number) const {
  Process* const process = table_.find(number);
  return process == nullptr || process->status == ProcessStatus::Ended ? nullptr : process;
}

std::int64_t Ipc::call(Process& caller) {
  Process* const server = process_at(caller.registers()[Register::Rdi]);
  if (server == nullptr || server == &caller) return -REPRISE_GONE;
  if (const std::int64_t error = check(caller); error != 0) return error;
  for (const Process* p = server; p != nullptr; p = p->mailbox.server)
    if (p == &caller) return -REPRISE_DEADLOCK;
  caller.mailbox.server = server;
  caller.mailbox.received = false;
  caller.mailbox.called = ++calls_;
  caller.status = ProcessStatus::Calling;
  if (server->status == ProcessStatus::Receiving) deliver(caller);
  return static_cast<std::int64_t>(caller.registers()[Register::Rax]);
}

// To the server that waits. A message that it cannot take fails for the caller alone.
void Ipc::deliver(Process& caller) {
  Process& server = *caller.mailbox.server;
  const std::int64_t bytes = transfer(caller, server);
  if (bytes < 0) return end_call(caller, bytes);
  caller.mailbox.received = true;
  server.registers()[Register::R8] = static_cast<std::uint64_t>(bytes);
  wake(server, static_cast<std::int64_t>(caller.id()));
}

std::int64_t Ipc::answer(Process& server) {
  const std::uint64_t number = server.registers()[Register::Rdi];
  if (number == 0) return 0;
  Process* const caller = process_at(number);
  const bool waits = caller != nullptr && caller->mailbox.server == &server;
  if (!waits || !caller->mailbox.received) return -REPRISE_GONE;
  const std::int64_t bytes = transfer(server, *caller);
  if (bytes < 0) return bytes;
  end_call(*caller, bytes);
  return 0;
}

std::int64_t Ipc::receive(Process& server) {
  if (const std::int64_t error = check(server); error != 0) return error;
  if (const std::int64_t error = answer(server); error != 0) return error;
  server.status = ProcessStatus::Receiving;
  if (server.mailbox.notes != 0) tell(server);
  if (server.status == ProcessStatus::Receiving) arch::expect_interrupts(server.grants.lines());
  while (server.status == ProcessStatus::Receiving) {
    Process* first = nullptr;
    for (std::size_t i = 0; i < table_.size(); ++i) {
      Process& p = table_[i];
      const Mailbox& box = p.mailbox;
      if (p.status != ProcessStatus::Calling || box.server != &server || box.received) continue;
      if (first == nullptr || box.called < first->mailbox.called) first = &p;
    }
    if (first == nullptr) break;
    deliver(*first);
  }
  return static_cast<std::int64_t>(server.registers()[Register::Rax]);
}

void Ipc::tell(Process& process) {
  process.registers()[Register::Rsi] = process.mailbox.notes;
  process.mailbox.notes = 0;
  wake(process, 0);
}

void Ipc::notify(Process& process, std::uint64_t notes) {
  process.mailbox.notes |= notes;
  if (notes != 0 && process.status == ProcessStatus::Receiving) tell(process);
}

void Ipc::notify_all(std::uint32_t lines, Nanoseconds now) {
  for (std::size_t i = 0; i < table_.size(); ++i) {
    Process& process = table_[i];
    const bool ring = process.mailbox.alarm <= now;
    if (ring) process.mailbox.alarm = Mailbox::never;
    notify(process, (process.grants.lines() & lines) | (ring ? REPRISE_NOTE_ALARM : 0));
  }
}

void Ipc::ended(Process& process) {
  process.mailbox = {};
  for (std::size_t i = 0; i < table_.size(); ++i)
    if (table_[i].mailbox.server == &process) end_call(table_[i], -REPRISE_GONE);
}

}  // namespace reprise
