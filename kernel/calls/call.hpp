// A call under way (kernel/abi/reprise.h): who makes it, and with what. It is served once, after
// the processing element that made it is committed. Every argument is whatever a program chose to
// put into a register: each is checked, and a bad one is an error, never more.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "arch/user_state.hpp"
#include "kernel/abi/outcome.hpp"
#include "kernel/context/gate.hpp"
#include "kernel/machine.hpp"

namespace reprise {

// What the program finds in RAX.
using Answer = Result<std::int64_t, reprise_error>;

[[nodiscard]] inline Answer answer_of(const Outcome& outcome) {
  if (!outcome) return Failure{outcome.error()};
  return 0;
}

class Call {
public:
  Call(Machine& machine, Process& process) : machine_{machine}, process_{process} {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  [[nodiscard]] Machine& machine() { return machine_; }
  [[nodiscard]] Process& process() { return process_; }
  [[nodiscard]] Context& context() { return process_.context(); }
  [[nodiscard]] const AddressSpace& space() const { return process_.space(); }
  [[nodiscard]] Gate gate() { return Gate{process_.context()}; }

  // The number and the arguments, in the order of kernel/abi/reprise.h.
  [[nodiscard]] std::uint64_t number() const { return word(arch::Register::Rax); }
  [[nodiscard]] std::uint64_t first() const { return word(arch::Register::Rdi); }
  [[nodiscard]] std::uint64_t second() const { return word(arch::Register::Rsi); }
  [[nodiscard]] std::uint64_t third() const { return word(arch::Register::Rdx); }
  [[nodiscard]] std::uint64_t fourth() const { return word(arch::Register::R10); }

  // An object in the caller's memory.
  template <class T>
  [[nodiscard]] Outcome get(std::uint64_t address, T& value) const {
    return space().read(UserAddr{address}, std::as_writable_bytes(std::span{&value, 1}));
  }
  template <class T>
  [[nodiscard]] Outcome put(std::uint64_t address, const T& value) {
    return gate().write_bytes(UserAddr{address}, std::as_bytes(std::span{&value, 1}));
  }
  // After it a put() there cannot fail: for calls that cannot be taken back.
  [[nodiscard]] Outcome prepare(std::uint64_t address, std::size_t bytes) {
    return gate().prepare(UserAddr{address}, bytes);
  }

  // The call was the process's last, which ends with this status.
  void end_with(std::uint8_t status) { end_status_ = status; }
  [[nodiscard]] std::optional<std::uint8_t> end_status() const { return end_status_; }
  // The registers are as the program is to find them, or the context waits: RAX stays as it is.
  void keep_registers() { keeps_registers_ = true; }
  [[nodiscard]] bool keeps_registers() const { return keeps_registers_; }

private:
  [[nodiscard]] std::uint64_t word(arch::Register name) const {
    return process_.context().registers()[name];
  }

  Machine& machine_;
  Process& process_;
  std::optional<std::uint8_t> end_status_;
  bool keeps_registers_ = false;
};

using CallHandler = Answer (*)(Call&);

}  // namespace reprise
