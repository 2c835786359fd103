// The gate: the one way by which anything enters a context from outside. Results of calls,
// messages, bytes, mappings, exceptions, values that the machine alone knows, and data of devices
// come through it, between two processing elements and never within one. Its methods are named by
// what enters.
//
// Invariant: a page that is about to change leaves the engine's books first, so that no stale copy
// of it is ever a PE's start. A log of inputs will be written here, and replayed from here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "arch/guest_state.hpp"
#include "arch/page_table.hpp"
#include "arch/run_user.hpp"
#include "arch/user_state.hpp"
#include "kernel/abi/guest.h"
#include "kernel/context/context.hpp"

namespace reprise {

class Gate {
public:
  explicit Gate(Context& context) : context_{context} {}

  // ---- Registers ----

  // Before the first PE: where it begins, and the block that says what it is started with.
  void first_instruction(UserAddr entry, UserAddr start_block);
  void call_result(std::uint64_t value);
  void error(reprise_error error);
  // Three words of a message, from the sender's registers; then RAX and R8 say more.
  void message_words(const arch::UserState& sender);
  void message_bytes(std::uint64_t count);
  // What the kernel has to tell, REPRISE_NOTE_..., as a message of its own.
  void notes(std::uint64_t notes);
  enum class Base : std::uint8_t { Fs, Gs };
  void set_base(Base base, UserAddr address);
  // All registers that ring 3 may choose.
  void register_contents(const reprise_frame& frame);
  // RDTSC, RDTSCP and CPUID at RIP: the machine's answer, once for both runs. False: `code` is
  // another instruction, and nothing has entered.
  [[nodiscard]] bool emulated_instruction(std::span<const std::uint8_t> code);
  // The exception goes to the context's handler, which is disarmed. False: there is none, or its
  // frame cannot be written; nothing has entered.
  [[nodiscard]] bool exception(const dwc::PeEnd& end);

  // ---- A guest's registers ----

  // The instruction that stopped it is carried out: on behind it.
  void guest_goes_on();
  // RDTSC is carried out.
  void guest_time_stamp(std::uint64_t time);
  // An exception that the instruction raises.
  void guest_event(std::uint64_t event);
  // The monitor's answer. False: an event that cannot be delivered now; nothing has entered.
  [[nodiscard]] bool guest_answer(const reprise_guest_run& run);
  // All registers that a monitor may choose.
  void guest_state(const reprise_guest_state& state);

  // ---- Memory; errors as AddressSpace has them ----

  Outcome write_bytes(UserAddr to, std::span<const std::byte> from);
  // After it a write_bytes() to that range cannot fail. It fails as that would.
  Outcome prepare(UserAddr to, std::size_t bytes);
  Outcome map_zero(PageRange range, arch::Permissions permissions);
  // Fresh pages take the place of what is mapped there. Without memory for all nothing changes.
  Outcome replace_by_zero(PageRange range, arch::Permissions permissions);
  Outcome map_frames(PageRange range, FrameNumber first, arch::Permissions permissions,
                     arch::Ownership ownership = arch::Ownership::Shared);
  void unmap(PageRange range);
  Outcome protect(PageRange range, arch::Permissions permissions);
  // Pages that the context has written to outside of any PE, where hardware let it (REPRISE_PROBE).
  void own_writes();

  // ---- Devices: the context itself carries out one access, with the device open ----

  void open_device_page(PageNumber page);
  void close_device_page(PageNumber page);
  // Bytes. A narrower store may end where the context's memory does.
  static constexpr std::size_t widest_store = 8;
  // `store` is where the instruction stores what it reads: it is made writable, because a write
  // fault behind the access would have the device read twice.
  void begin_device_access(std::optional<UserAddr> store);
  // One instruction, or one iteration of a repeated one; the device's data are in place.
  [[nodiscard]] arch::Trap device_data();
  void end_device_access(std::optional<UserAddr> store);

  // ---- The end ----

  // All memory is taken away; the context never runs again.
  void end();

private:
  void forget(PageNumber page);
  void forget_bytes(UserAddr start, std::size_t bytes);
  void own_store(std::optional<UserAddr> store, arch::WriteAccess access);
  [[nodiscard]] std::uint64_t& word(arch::Register name) { return context_.live()[name]; }
  [[nodiscard]] std::uint64_t& word(arch::GuestWord name) { return context_.live()[name]; }

  Context& context_;
};

}  // namespace reprise
