// See msr_policy.hpp. Names and numbers: AMD APM Vol. 2, Appendix A; Intel SDM Vol. 4.
#include "user/monitor/msr_policy.hpp"

namespace monitor {
namespace {

enum Msr : std::uint32_t {
  TimeStamp = 0x10,
  ApicBase = 0x1b,
  PatchLevel = 0x8b,
  Pat = 0x277,
  Efer = 0xc0000080,
  EventSelect0 = 0xc0010000,  // and three more
  Counter3 = 0xc0010007,
  HardwareConfiguration = 0xc0010015,
  InterruptPending = 0xc0010055,
  DecodeConfiguration = 0xc0011029,
};

constexpr std::uint64_t efer_syscall = 1, efer_long_mode = 1 << 8, efer_long_active = 1 << 10,
                        efer_no_execute = 1 << 11;
constexpr std::uint64_t efer_known =
    efer_syscall | efer_long_mode | efer_long_active | efer_no_execute;
constexpr std::uint64_t paging = 1ul << 31;  // CR0

// The processor sets LMA itself: what is written there does not count.
MsrEffect write_efer(std::uint64_t value, reprise_guest_state& state) {
  if ((value & ~efer_known) != 0) return MsrEffect::Refused;
  const bool mode_changes = ((value ^ state.efer) & efer_long_mode) != 0;
  if (mode_changes && (state.cr0 & paging) != 0) return MsrEffect::Refused;
  state.efer = (value & ~efer_long_active) | (state.efer & efer_long_active);
  return MsrEffect::StateChanged;
}

// Each byte is a memory type: 0, 1, 4, 5, 6 or 7 (AMD APM Vol. 2 §7.8.1).
MsrEffect write_pat(std::uint64_t value, reprise_guest_state& state) {
  for (unsigned shift = 0; shift < 64; shift += 8) {
    const std::uint64_t type = value >> shift & 0xff;
    if (type > 7 || type == 2 || type == 3) return MsrEffect::Refused;
  }
  state.pat = value;
  return MsrEffect::StateChanged;
}

}  // namespace

bool MsrPolicy::is_in_state(std::uint32_t msr) { return msr == Efer || msr == Pat; }

bool MsrPolicy::is_known(std::uint32_t msr) {
  switch (msr) {
    case TimeStamp:
    case ApicBase:
    case PatchLevel:
    case Pat:
    case Efer:
    case HardwareConfiguration:
    case InterruptPending:
    case DecodeConfiguration: return true;
    default: return EventSelect0 <= msr && msr <= Counter3;
  }
}

std::uint64_t MsrPolicy::read(std::uint32_t msr, const reprise_guest_state& state, GuestTime now) {
  switch (msr) {
    case TimeStamp: return now.value();  // one tick is one nanosecond
    case Pat: return state.pat;
    case Efer: return state.efer;
    default: return 0;
  }
}

MsrEffect MsrPolicy::write(std::uint32_t msr, std::uint64_t value, reprise_guest_state& state) {
  if (msr == Efer) return write_efer(value, state);
  if (msr == Pat) return write_pat(value, state);
  return MsrEffect::Done;
}

}  // namespace monitor
