// A context: what is run twice, a thread of a process or the virtual CPU of a guest. It has its
// registers, the engine that runs each of its processing elements twice, and what belongs to one
// strand of execution: mailbox, turn, planned flips, handlers, figures. It works in a space, which
// it shares with other contexts of its process; the process itself it does not know, only a number.
//
// A context is changed only between its processing elements, and from outside only through Gate:
// everybody else sees const registers and a const space. Next: gate.hpp, what can enter;
// element.hpp, which runs one processing element.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "arch/user_state.hpp"
#include "kernel/abi/init.hpp"
#include "kernel/base/address.hpp"
#include "kernel/context/guest.hpp"
#include "kernel/context/hardening.hpp"
#include "kernel/context/injector.hpp"
#include "kernel/context/mailbox.hpp"
#include "kernel/context/turn.hpp"
#include "kernel/dwc/engine.hpp"
#include "kernel/memory/address_space.hpp"

namespace reprise {

enum class ContextStatus : std::uint8_t {
  Ready,
  Sleeping,
  Calling,
  Receiving,
  InGuest,    // a monitor, until its guest stops
  AtMonitor,  // a guest, until its monitor lets it go on
  Ended
};

struct ExceptionHandler {
  UserAddr entry;  // 0: none
  UserAddr frame;
};

// How a context runs; it stays so for the context's life.
struct ContextSettings {
  bool hardened = true;
  unsigned priority = 0;
  KernelSettings kernel = settings_of_init();
};

// What a report tells of a context.
struct ContextFigures {
  std::uint64_t elements = 0;       // PEs
  std::uint64_t user_time = 0;      // nanoseconds, when it is not hardened
  std::uint64_t non_maskable = 0;   // NMIs that came in its PEs and are not logged yet
  dwc::PeEnd last_end{};            // of its last PE
  AccessRefusal refused{};          // of the last device access
  bool standing = false;            // ended by a mismatch that restarts did not cure
  std::array<CodeBytes, 3> code{};  // where each run of that mismatch stood; at its culprit
};

class Context {
public:
  // With a guest: it runs on that guest's virtual CPU.
  Context(std::uint64_t number, AddressSpace& space, const ContextSettings& settings,
          const ContextResources& resources, std::optional<Guest> guest);
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() = default;

  // The number of the process it belongs to.
  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] const AddressSpace& space() const { return space_; }
  [[nodiscard]] const arch::UserState& registers() const {
    return hardening_ ? hardening_->core().registers() : live_;
  }
  [[nodiscard]] bool hardened() const { return hardening_.has_value(); }
  // Of a hardened one.
  [[nodiscard]] const Engine& engine() const { return hardening_->engine(); }

  // Nothing: a program.
  [[nodiscard]] const std::optional<Guest>& guest() const { return guest_; }
  [[nodiscard]] std::optional<Guest>& guest() { return guest_; }

  // Nanoseconds in ring 3. Of a hardened one: in first runs, with the write faults taken there, as
  // the time limit counts.
  [[nodiscard]] std::uint64_t own_time() const;
  // Frames that the engine keeps to save work, and gives back when none are free.
  [[nodiscard]] std::uint64_t spare_frames() const;

  ContextStatus status = ContextStatus::Ready;
  Nanoseconds wake_at{};  // while Sleeping
  Turn turn;
  Mailbox mailbox;
  UserAddr syscall_entry{};  // the personality's, for a SYSCALL from elsewhere; 0: none
  ExceptionHandler exception_handler{};
  Nanoseconds interrupt_at = Mailbox::never;  // REPRISE_INTERRUPT
  Injector injector;
  ContextFigures figures{};

private:
  friend class Gate;
  friend class ElementRunner;

  // The engine lets its register sets change places: live_ is one of them.
  [[nodiscard]] arch::UserState& live() {
    return hardening_ ? hardening_->core().registers() : live_;
  }

  std::uint64_t number_;
  AddressSpace& space_;
  std::optional<Guest> guest_;
  arch::UserState live_{};
  std::optional<Hardening> hardening_;
};

}  // namespace reprise
