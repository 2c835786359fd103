// Carries out MOV from and to a debug register, and MOV to CR8 (AMD APM Vol. 3, MOV DRn and MOV
// CRn). The kernel stops the guest at these instructions, after the processor has checked the
// privilege level. The instruction's bytes are read from the guest's memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "kernel/abi/guest.h"
#include "user/monitor/page_walker.hpp"

namespace monitor {

class RegisterMove {
public:
  RegisterMove(reprise_guest_state& state, GuestMemory& memory) : state_{state}, memory_{memory} {}

  enum class Outcome : std::uint8_t {
    GoesOn,    // the state is the guest's from here on, an exception included
    NoMemory,  // there is no memory at absent_address()
  };
  [[nodiscard]] Outcome carry_out();
  [[nodiscard]] std::uint64_t absent_address() const { return absent_address_; }

private:
  enum class Step : std::uint8_t { Done, Fault, NoMemory };
  using Register = std::uint64_t reprise_guest_state::*;

  [[nodiscard]] bool runs_64_bit() const;
  [[nodiscard]] Step fetch(std::uint8_t& byte);
  [[nodiscard]] Step fetch_more();
  [[nodiscard]] Step decode();
  [[nodiscard]] Step read_prefixes(std::uint8_t& opcode);
  [[nodiscard]] Step move();
  [[nodiscard]] Step move_debug_register();
  [[nodiscard]] Step write_debug_register(Register to);
  [[nodiscard]] Step write_priority();
  [[nodiscard]] Register debug_register() const;
  [[nodiscard]] std::uint64_t operand() const;
  [[nodiscard]] Step fault(std::uint64_t event);
  void raise_debug(std::uint64_t cause);
  void finish(std::uint64_t flags);

  static constexpr std::size_t longest_instruction = 15;

  reprise_guest_state& state_;
  GuestMemory& memory_;
  std::array<std::uint8_t, longest_instruction> bytes_{};
  std::size_t fetched_ = 0, length_ = 0;  // bytes in bytes_; of them decoded
  std::uint8_t rex_ = 0;
  bool has_lock_ = false;
  std::uint8_t opcode_ = 0;      // behind 0Fh
  unsigned special_number_ = 0;  // of the debug or control register
  Register general_ = &reprise_guest_state::rax;
  std::uint64_t absent_address_ = 0;
};

}  // namespace monitor
