// A process on the fake machine, as the kernel would run one: hardened, through the controller, or
// plain, once and unwatched, which is the reference. Both serve the same ends in the same way.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "libdwc/controller.hpp"
#include "tests/libdwc/fake_machine.hpp"

namespace fake {

// Register 0 at a system call; arguments follow in registers 1 to 3.
enum class Call : std::uint64_t {
  Exit,
  Log,    // register 1 goes out
  Write,  // the kernel writes page r1 % pages, word r2 % 512: like the result of a call
  Map,    // page r1 % pages becomes a zero page, writable when r2 is odd
  Unmap,  // page r1 % pages
  Count
};

// An end that the program does not know of: it only stands somewhere.
inline bool ended_by_count(const dwc::PeEnd& end) {
  return end.kind == dwc::PeEnd::Kind::PageBudget || end.kind == dwc::PeEnd::Kind::TimeLimit;
}

// What a kernel does with an end, on any machine. `forget` is told of each page before it is
// touched, `make_room` when a frame is missing.
template <class M>
class Kernel {
public:
  std::vector<std::uint64_t> log;
  bool exited = false;

  template <class Forget, class MakeRoom>
  void serve(M& machine, const dwc::PeEnd& end, Forget forget, MakeRoom make_room) {
    auto& r = machine.registers().word;
    if (ended_by_count(end)) return;
    if (end.kind == dwc::PeEnd::Kind::Exception) {  // delivered: the instruction is skipped
      r[3] ^= end.fault_address + end.vector + 16 * end.error_code;
      exited = exited || ++r[Registers::ip] >= machine.program().size();
      return;
    }
    const auto page = static_cast<Page>(r[1] % machine.page_count());
    switch (static_cast<Call>(r[0] % static_cast<std::uint64_t>(Call::Count))) {
      case Call::Exit: exited = true; break;
      case Call::Log: log.push_back(r[1]); break;
      case Call::Write:
        if (!machine.entry(page).present) break;
        forget(page);
        if (machine.write(page, r[2] % words_per_page, r[3])) break;
        make_room();
        if (!machine.write(page, r[2] % words_per_page, r[3])) throw Violation{"no frame left"};
        break;
      case Call::Map:
        forget(page);
        machine.share_page(page, r[2] % 2 == 1);
        break;
      case Call::Unmap:
        forget(page);
        machine.take_page(page);
        break;
      case Call::Count: break;
    }
    r[0] = log.size();
  }
};

// What a kernel makes of a trap.
inline dwc::Event<Page> event_of(Machine& machine, const Trap& trap) {
  using Event = dwc::Event<Page>;
  const std::uint64_t flags = machine.registers().word[Registers::flags];
  if ((flags & interrupt_flag) == 0 || (flags & privilege_level) != 0) {
    return {.kind = Event::Kind::ControlBits};
  }
  if (trap.kind == Trap::Kind::Timer) return {.kind = Event::Kind::Timer};
  if (trap.kind == Trap::Kind::Counter) return {.kind = Event::Kind::Counter};
  if (trap.kind == Trap::Kind::Step) return {.kind = Event::Kind::Step};
  if (trap.kind == Trap::Kind::Break) return {.kind = Event::Kind::Break};
  if (trap.kind == Trap::Kind::MachineCheck) return {.kind = Event::Kind::MachineCheck};
  Event event{.kind = Event::Kind::End};
  if (trap.kind == Trap::Kind::SystemCall) return event;
  event.end = {.kind = dwc::PeEnd::Kind::Exception,
               .vector = trap.vector,
               .error_code = trap.error_code,
               .fault_address = trap.fault_address};
  if (trap.vector == page_fault_vector && trap.error_code == (fault_present | fault_write)) {
    event.page = static_cast<Page>(trap.fault_address / page_bytes);
    if (machine.entry(event.page).may_write) event.kind = Event::Kind::WriteFault;
  }
  return event;
}

// Hardened.
template <class M = Machine>
class Process {
public:
  static constexpr std::size_t most_pages = 64;

  // With room for digests a PE that is given up is traced.
  Process(M& machine, const dwc::Settings& settings, std::span<std::uint32_t> digests = {})
      : machine_{machine},
        controller_{machine,
                    machine,
                    settings,
                    {.pages = pages_, .start = &start_, .first = &first_, .digests = digests}} {}

  // One PE, restarts included: until Serve or Stop. The end has not been served yet.
  dwc::Next run_pe() {
    controller_.begin();
    for (;;) {
      const dwc::Next next = controller_.handle(event_of(machine_, machine_.run()));
      if (next != dwc::Next::Resume) return next;
    }
  }

  void serve() {
    kernel_.serve(
        machine_, controller_.end(),
        [this](Page page) { controller_.forget(machine_.number(page)); },
        [this] { controller_.clear(); });
  }

  // PEs until the program exits, or `limit` of them, or one is stopped.
  dwc::Next run(std::uint64_t limit = ~std::uint64_t{0}) {
    for (std::uint64_t i = 0; i < limit && !kernel_.exited; ++i) {
      if (run_pe() == dwc::Next::Stop) return dwc::Next::Stop;
      serve();
    }
    return dwc::Next::Serve;
  }

  dwc::Controller<M, M>& controller() { return controller_; }
  const dwc::Statistics& statistics() const { return controller_.statistics(); }
  const Kernel<M>& kernel() const { return kernel_; }
  // The engine's storage: the pages of the set, and what is left of others.
  std::span<const dwc::PageEntry<M>> entries() const { return pages_; }

private:
  M& machine_;
  std::array<dwc::PageEntry<M>, most_pages> pages_;
  typename M::Registers start_;
  typename M::Registers first_;
  dwc::Controller<M, M> controller_;
  Kernel<M> kernel_;
};

// The reference: the same program, run once, on a machine without an engine.
class PlainProcess {
public:
  explicit PlainProcess(Machine& machine) : machine_{machine} {}

  // Until an end that is to be served, or `instructions` later.
  dwc::PeEnd run(std::uint64_t instructions);
  void serve(const dwc::PeEnd& end);
  const Kernel<Machine>& kernel() const { return kernel_; }

private:
  Machine& machine_;
  Kernel<Machine> kernel_;
};

}  // namespace fake
