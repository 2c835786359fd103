// Carries out INS and OUTS (Intel SDM Vol. 2), element by element, with the guest's memory. The
// kernel says that an access is a string's, and whether REP stands before it. Width of addresses
// and segment come from the instruction's prefixes, which are read from the guest's memory.
//
// One call carries out a bounded number of elements. The instruction is then begun again with the
// registers as they are, as the processor itself does after an interrupt.
#pragma once

#include <cstdint>

#include "kernel/abi/guest.h"
#include "user/monitor/computer.hpp"
#include "user/monitor/page_walker.hpp"

namespace monitor {

class StringIo {
public:
  static constexpr unsigned most_elements = 1024;

  StringIo(reprise_guest_state& state, GuestMemory& memory, Computer& computer)
      : state_{state}, memory_{memory}, computer_{computer} {}

  enum class Outcome : std::uint8_t {
    GoesOn,    // the state is the guest's from here on, an exception included
    NoMemory,  // there is no memory at absent_address()
  };
  // `run` describes the access as GUEST_RUN has given it.
  [[nodiscard]] Outcome carry_out(const reprise_guest_run& run);
  [[nodiscard]] std::uint64_t absent_address() const { return absent_address_; }

private:
  enum class Step : std::uint8_t { Done, Fault, NoMemory };

  void read_prefixes();
  [[nodiscard]] Step move(const reprise_guest_run& run);
  [[nodiscard]] Step transfer(std::uint64_t linear, std::uint8_t* bytes, unsigned count,
                              MemoryUse use);
  [[nodiscard]] Step translate(std::uint64_t linear, MemoryUse use, std::uint64_t& physical);
  [[nodiscard]] std::uint64_t address_mask() const;
  void step_register(std::uint64_t& value, std::uint64_t by) const;
  void finish();

  reprise_guest_state& state_;
  GuestMemory& memory_;
  Computer& computer_;
  unsigned address_bits_ = 64;
  const reprise_guest_segment* source_ = nullptr;  // of OUTS
  std::uint64_t absent_address_ = 0;
};

}  // namespace monitor
