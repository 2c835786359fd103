// Makes virtual CPUs: switches AMD's SVM on, and fills a guest's control block with what is never
// let through (AMD APM Vol. 2 §15.3, §15.4, §15.9). An instruction is an exit when its result could
// differ between two runs, or when it reaches the machine itself. Next: guest.cpp, which runs one.
#include "arch/virtual_cpu.hpp"

#include "arch/frame_memory.hpp"
#include "arch/x86_64/board.hpp"
#include "arch/x86_64/features.hpp"
#include "arch/x86_64/guest_maps.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/layout.hpp"
#include "arch/x86_64/per_cpu.hpp"
#include "arch/x86_64/vmcb.hpp"

namespace arch {

using namespace x86;

namespace {

constexpr std::uint32_t intercepts_1 =
    Intercept1::Intr | Intercept1::Nmi | Intercept1::Vintr | Intercept1::Rdtsc | Intercept1::Rdpmc |
    Intercept1::Cpuid | Intercept1::Invd | Intercept1::Hlt | Intercept1::Invlpga |
    Intercept1::Ioio | Intercept1::Msr | Intercept1::Freeze | Intercept1::Shutdown;
constexpr std::uint32_t intercepts_2 =
    Intercept2::Vmrun | Intercept2::Vmmcall | Intercept2::Vmload | Intercept2::Vmsave |
    Intercept2::Stgi | Intercept2::Clgi | Intercept2::Skinit | Intercept2::Rdtscp |
    Intercept2::Monitor | Intercept2::Mwait | Intercept2::MwaitArmed | Intercept2::Xsetbv |
    Intercept2::Rdpru;

// QEMU 7.2 fails when a guest changes these by itself: it keeps a list of breakpoints beside DR7,
// which a world switch does not exchange, and MOV to CR8 with a virtual interrupt on its way aborts
// it. Guests seldom use either.
constexpr std::uint16_t cr8_writes = 1 << 8, every_register = 0xffff;

constexpr std::uint32_t only_guest = 1;  // the one address space identifier in use

Vmcb& block_in(reprise::FrameNumber frame) {
  return *reinterpret_cast<Vmcb*>(frame_words(frame).data());
}

std::uint64_t physical(reprise::FrameNumber frame) { return address_of(frame).value(); }

void prepare(Vmcb& block, std::uint64_t nested_root) {
  block.cr_writes = cr8_writes;
  block.dr_reads = every_register;
  block.dr_writes = every_register;
  block.exceptions = always_intercepted;
  block.intercepts_1 = intercepts_1;
  block.intercepts_2 = intercepts_2;
  block.io_map = io_map();
  block.msr_map = msr_map();
  block.asid = only_guest;
  block.nested_paging = 1;
  block.nested_root = nested_root;
}

}  // namespace

GuestSupport start_guests(reprise::FrameSource& frames) {
  if (!has(feature::svm)) return GuestSupport::NoVirtualization;
  if (!has(feature::nested_paging)) return GuestSupport::NoNestedPaging;
  if ((read_msr(Msr::VmCr) & VmCr::Svmdis) != 0) return GuestSupport::Locked;
  GuestState& guest = this_cpu().guest;
  if (guest.host_block) return GuestSupport::Present;
  const auto save_area = frames.allocate(), host_block = frames.allocate();
  if (!save_area || !host_block) {
    if (save_area) frames.release(*save_area);
    return GuestSupport::NoMemory;
  }
  clear_frame(*save_area);
  clear_frame(*host_block);
  write_msr(Msr::Efer, read_msr(Msr::Efer) | Efer::Svme);
  write_msr(Msr::VmHsavePa, physical(*save_area));
  guest.host_block = host_block;
  board.guests = {.next_rip_saved = has(feature::next_rip_saved),
                  .flush_by_asid = has(feature::flush_by_asid)};
  return GuestSupport::Present;
}

std::optional<VirtualCpu> VirtualCpu::create(reprise::FrameSource& frames,
                                             const PageTable& nested) {
  const auto block = frames.allocate();
  if (!block) return std::nullopt;
  clear_frame(*block);
  prepare(block_in(*block), physical(nested.root()));
  return VirtualCpu{*block, frames};
}

VirtualCpu::~VirtualCpu() {
  if (frames_ != nullptr) frames_->release(block_);
}

Vmcb& VirtualCpu::block() const { return block_in(block_); }

}  // namespace arch
