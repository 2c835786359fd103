// The plain process: write faults only give it frames of its own, nothing is taken back or
// compared.
#include "tests/libdwc/fake_process.hpp"

namespace fake {

dwc::PeEnd PlainProcess::run(std::uint64_t instructions) {
  std::uint64_t left = instructions;
  for (;;) {
    machine_.run_begins(dwc::WhichRun::First, machine_.registers());  // counts from zero again
    const Trap trap = machine_.run(left);
    left -= machine_.retired();
    if (trap.kind == Trap::Kind::Pause) return {.kind = dwc::PeEnd::Kind::PageBudget};
    const auto event = event_of(machine_, trap);
    if (event.kind != dwc::Event<Page>::Kind::WriteFault) return event.end;
    if (!machine_.write(event.page, 0, machine_.content(event.page)[0])) {
      throw Violation{"the test gave the plain machine too few frames"};
    }
    machine_.map(event.page, machine_.entry(event.page).frame, dwc::Write::Enabled);
    machine_.invalidate(event.page);
  }
}

void PlainProcess::serve(const dwc::PeEnd& end) {
  const auto protect = [this](Page page) {
    if (!machine_.entry(page).enabled) return;
    machine_.map(page, machine_.entry(page).frame, dwc::Write::Protected);
    machine_.invalidate(page);
  };
  kernel_.serve(machine_, end, protect, [] {});
}

}  // namespace fake
