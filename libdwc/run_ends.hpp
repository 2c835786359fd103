// How the two runs of a PE ended. An event that is the engine's own doing, a page for which there
// is no room, becomes an end that both runs can have: the first run's refusal is remembered, and
// the second run ends the same way when it comes to the same page.
#pragma once

#include "libdwc/shadow_memory.hpp"

namespace dwc {

template <Space S>
class RunEnds {
public:
  using Page = typename S::Page;

  PeEnd first;
  PeEnd second;

  [[nodiscard]] bool agree() const { return first == second; }
  [[nodiscard]] PeEnd& of(WhichRun run) { return run == WhichRun::First ? first : second; }

  // What an event that stops a run makes of it.
  void note(WhichRun run, const Event<Page>& event, ShadowMemory<S>& memory) {
    PeEnd& end = of(run);
    end = event.end;
    if (event.kind == Kind::ControlBits) end.kind = PeEnd::Kind::ControlBits;
    if (event.kind == Kind::Timer) {
      end.kind = run == WhichRun::First ? PeEnd::Kind::TimeLimit : PeEnd::Kind::Watchdog;
    }
    const bool refused = event.kind == Kind::WriteFault;
    if (run == WhichRun::First) {
      refused_ = refused ? std::optional{event.page} : std::nullopt;
      if (!refused) return;
      end.kind = memory.commit_makes_room() ? PeEnd::Kind::PageBudget : PeEnd::Kind::OutOfFrames;
    } else if (refused) {
      end.kind = refused_ == event.page ? first.kind : PeEnd::Kind::UnexpectedWrite;
    }
  }

private:
  using Kind = typename Event<Page>::Kind;

  std::optional<Page> refused_;  // where the first run had to end for want of room
};

}  // namespace dwc
