// A call under way: who makes it and with what, in the registers of kernel/abi/reprise.h. Every
// argument is whatever a program chose to put there: each is checked, and a bad one is an error
// code, never more.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "kernel/abi/reprise.h"
#include "kernel/system.hpp"

namespace reprise {

struct Call {
  System& system;
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
    return process.space().write(UserAddr{address}, std::as_bytes(std::span{&value, 1}))
               ? 0
               : -REPRISE_BAD_ADDRESS;
  }
};

using CallHandler = std::int64_t (*)(Call&);

}  // namespace reprise
