// Names the instruction that makes the two runs of a PE differ by itself (RDRAND cannot be trapped
// in ring 3). When restarts have not helped, the PE is run twice more, in single steps. After each
// step of the first pass a digest of all registers is kept. The first step of the second pass that
// comes to another digest was such an instruction. A transient fault is not seen again, and then
// nothing is named.
//
// Invariant: a pass ends. It has as many steps as there is room for, and the controller bounds its
// time. A step that changes nothing (a jump to itself, or an NMI came first) counts, but its digest
// is not kept: so the passes stay aligned.
#pragma once

#include "libdwc/comparator.hpp"

namespace dwc {

template <Core C>
class Trace {
public:
  Trace(C& core, std::span<std::uint32_t> digests) : core_{core}, digests_{digests} {}

  // The live registers are R0, the pages P0. False: both passes are over, or there is no room.
  [[nodiscard]] bool begin_pass() {
    if (digests_.empty() || culprit_ || pass_ == 2) return false;
    ++pass_;
    steps_left_ = digests_.size();
    if (pass_ == 2) digests_ = digests_.first(kept_);
    kept_ = 0;
    last_ = 0;
    core_.break_at(std::nullopt);
    core_.load();
    return true;
  }

  void step() {
    at_ = core_.registers().words()[C::rip_word];
    core_.step(core_.registers());
  }

  // False: the pass is over.
  [[nodiscard]] bool stepped() {
    core_.complete();
    const std::uint64_t sum = check_word(core_.registers().words());
    const auto digest = static_cast<std::uint32_t>(sum >> 32);
    --steps_left_;
    if (steps_left_ == 0 || kept_ == digests_.size()) return false;
    if (digest == last_) return true;
    last_ = digest;
    if (pass_ == 2 && digests_[kept_] != digest) culprit_ = at_;
    digests_[kept_] = digest;
    ++kept_;
    return !culprit_;
  }

  // Where it stands, once it is known.
  [[nodiscard]] std::optional<std::uint64_t> culprit() const { return culprit_; }

private:
  C& core_;
  std::span<std::uint32_t> digests_;
  std::optional<std::uint64_t> culprit_;
  std::uint64_t at_ = 0;  // RIP before the step
  std::size_t steps_left_ = 0;
  std::size_t kept_ = 0;
  std::uint32_t last_ = 0;
  unsigned pass_ = 0;
};

}  // namespace dwc
