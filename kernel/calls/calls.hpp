// The calls that programs make (kernel/abi/reprise.h), served once each, after the processing
// element that made them is committed. Every argument is whatever a program chose to put into a
// register: each is checked, and a bad one is an error code, never more.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "kernel/abi/reprise.h"
#include "kernel/machine.hpp"

namespace reprise {

[[nodiscard]] inline std::int64_t code_of(const MemoryResult& result) {
  return result ? 0 : -static_cast<std::int64_t>(*result.error);
}

// A call under way: who makes it and with what. Memory errors are the negative of a reprise_error.
struct Call {
  Machine& machine;
  Process& process;
  std::uint64_t a, b, c, d;
  std::optional<std::uint8_t> ends{};  // the call was the process's last: its status

  // An object in the process's memory.
  template <class T>
  [[nodiscard]] bool get(std::uint64_t address, T& value) {
    return static_cast<bool>(
        process.space().read(UserAddr{address}, std::as_writable_bytes(std::span{&value, 1})));
  }
  template <class T>
  [[nodiscard]] std::int64_t put(std::uint64_t address, const T& value) {
    return code_of(process.space().write(UserAddr{address}, std::as_bytes(std::span{&value, 1})));
  }
  // So that put() cannot fail, where that would be too late.
  [[nodiscard]] std::int64_t prepare(std::uint64_t address, std::size_t bytes) {
    return code_of(process.space().prepare(UserAddr{address}, bytes));
  }
};

using CallHandler = std::int64_t (*)(Call&);

// Init's own (kernel/abi/init.hpp), by number from REPRISE_CONFIGURE on: it sets the machine up,
// starts the programs, is told of their ends, and ends the machine. Init runs in ring 3, twice, and
// is believed no more than any program.
extern const std::array<CallHandler, REPRISE_CLOCK - REPRISE_CONFIGURE + 1> init_calls;

// Serves the call in the process's registers; the status with which it ends, if it does. A call
// that must wait leaves the process Sleeping, Calling or Receiving.
[[nodiscard]] std::optional<std::uint8_t> serve_call(Machine& machine, Process& process);

}  // namespace reprise
