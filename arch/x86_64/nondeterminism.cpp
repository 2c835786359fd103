// Instructions that ring 3 may execute and whose result may differ between two runs. Where the CPU
// has a switch, they fault in ring 3 and are done here once, after commit: RDTSC by CR4.TSD (see
// control_registers.cpp). The others are hidden from CPUID, so that no program looks for them.
// CPUID itself is the same in both runs: it faults only so that it can hide things.
// docs/fault-model.md has the whole list.
#include "arch/nondeterminism.hpp"

#include "arch/clock.hpp"
#include "arch/x86_64/features.hpp"
#include "arch/x86_64/nondeterminism.hpp"
#include "arch/x86_64/opcode.hpp"
#include "arch/x86_64/try_write_msr.hpp"

namespace arch {

using namespace x86;

namespace {

// AMD APM Vol. 2 §3.2 (HWCR). Where Intel's register is missing, the write faults or an emulator
// ignores it: then CPUID does what it always did (Intel SDM Vol. 4; Linux: MISC_FEATURES_ENABLES).
void make_cpuid_fault() {
  if (has(feature::cpuid_user_dis)) {
    return write_msr(Msr::Hwcr, read_msr(Msr::Hwcr) | Hwcr::CpuidUserDis);
  }
  static_cast<void>(try_write_msr(Msr::MiscFeaturesEnables, MiscFeaturesEnables::CpuidFault));
}

// Transactions always abort, and CPUID does not tell of them (Intel SDM Vol. 4, IA32_TSX_CTRL). The
// older way, TSX_FORCE_ABORT, makes them abort only.
void disable_transactions() {
  const bool controlled = has(feature::arch_capabilities) &&
                          (read_msr(Msr::ArchCapabilities) & ArchCapabilities::TsxCtrl) != 0;
  if (controlled) write_msr(Msr::TsxCtrl, TsxCtrl::RtmDisable | TsxCtrl::CpuidClear);
  if (has(feature::tsx_force_abort)) write_msr(Msr::TsxForceAbort, TsxForceAbort::RtmForceAbort);
}

CpuidResult cpuid_of_ring_3(std::uint32_t leaf, std::uint32_t subleaf) {
  CpuidResult result = cpuid(leaf, subleaf);
  if (leaf == 1) result.ecx &= ~(1u << 30);  // RDRAND
  if (leaf == 7 && subleaf == 0) {
    result.ebx &= ~(1u << 4 | 1u << 11 | 1u << 18);  // HLE, RTM, RDSEED
    result.ecx &= ~(1u << 5);                        // WAITPKG
    result.edx &= ~(1u << 11 | 1u << 13);            // RTM_ALWAYS_ABORT, TSX_FORCE_ABORT
  }
  return result;
}

}  // namespace

void x86::close_sources_of_difference() {
  make_cpuid_fault();
  disable_transactions();
  if (has(feature::rdtscp)) write_msr(Msr::TscAux, 0);  // also RDPID's: the number of this CPU
}

bool emulate_instruction(UserState& state, std::span<const std::uint8_t> code) {
  const Opcode opcode = opcode_of(code);
  const std::size_t length = opcode.length + (opcode.next == 0x01 ? 2 : 1);
  if (opcode.code != 0x0f || length > code.size()) return false;
  const bool rdtscp = opcode.next == 0x01 && code[length - 1] == 0xf9;
  const bool identify = opcode.next == 0xa2;
  if (!(rdtscp || identify || opcode.next == 0x31)) return false;
  const std::uint64_t time = time_stamp();
  CpuidResult r{static_cast<std::uint32_t>(time), 0, 0, static_cast<std::uint32_t>(time >> 32)};
  if (identify) {
    r = cpuid_of_ring_3(static_cast<std::uint32_t>(state[Register::Rax]),
                        static_cast<std::uint32_t>(state[Register::Rcx]));
  }
  state[Register::Rax] = r.eax;
  state[Register::Rdx] = r.edx;
  if (identify) state[Register::Rbx] = r.ebx;
  if (identify || rdtscp) state[Register::Rcx] = r.ecx;  // of RDTSCP IA32_TSC_AUX
  state[Register::Rip] += length;
  return true;
}

}  // namespace arch
