#include "tests/arch/scripted_guest.hpp"

#include <stdexcept>
#include <utility>

#include "arch/guest_state.hpp"
#include "arch/timer.hpp"
#include "arch/x86_64/apic.hpp"
#include "arch/x86_64/counter.hpp"
#include "arch/x86_64/guest.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/interrupts.hpp"
#include "arch/x86_64/machine_check.hpp"
#include "arch/x86_64/per_cpu.hpp"
#include "tests/catch.hpp"

using namespace arch;
using namespace arch::x86;

namespace scripted_guest {
namespace {

World* current = nullptr;

}  // namespace

World::World() {
  current = this;
  x86::cpu = {};
  x86::boot_cpu.breakpoints = {};
  x86::boot_cpu.guest = {};
  x86::boot_cpu.counting = {};
  x86::cpu.leaves[{0x80000000, 0}] = {.eax = 0x8000001f};
  x86::cpu.leaves[{0x80000001, 0}] = {.ecx = 1 << 2};
  x86::cpu.leaves[{0x8000000a, 0}] = {.edx = 1};
  REQUIRE(start_guests(frames) == GuestSupport::Present);
  std::optional<PageTable> made = PageTable::create_nested(frames);
  REQUIRE(made);
  table.emplace(std::move(*made));
  std::optional<VirtualCpu> cpu = VirtualCpu::create(frames, *table);
  REQUIRE(cpu);
  virtual_cpu.emplace(std::move(*cpu));
  initialize_guest(state, *virtual_cpu);
  load_rest(state);
}

World::~World() { current = nullptr; }

Trap World::run(std::deque<Stay> script) {
  stays = std::move(script);
  const Trap trap = run_user(state);
  REQUIRE(stays.empty());
  return trap;
}

Stay stops(std::uint64_t code, std::uint64_t info, std::uint64_t next) {
  return [=](World& world, GuestSwitch&) {
    world.block().exit_code = code;
    world.block().exit_info_1 = info;
    world.block().exit_info_2 = next;
  };
}
Stay stops(GuestExit code, std::uint64_t info, std::uint64_t next) {
  return stops(static_cast<std::uint64_t>(code), info, next);
}

Stay interrupted_by(std::uint8_t vector) {
  return [=](World& world, GuestSwitch&) {
    world.block().exit_code = 0x60;
    x86::cpu.interrupts_on = [vector] {
      REQUIRE(x86::boot_cpu.guest.takes_interrupt);
      x86::boot_cpu.guest.taken = vector;
    };
  };
}

}  // namespace scripted_guest

using scripted_guest::current;

extern "C" void enter_guest(GuestSwitch* s) {
  scripted_guest::World& world = *current;
  REQUIRE(s->guest_block == address_of(world.virtual_cpu->block_frame()).value());
  const scripted_guest::Stay stay = world.stays.at(0);
  world.stays.pop_front();
  stay(world, *s);
}

// ---- What the rest of arch does meanwhile ----

const CounterBackEnd& x86::pmu_intel() { throw std::logic_error("no counter"); }
const CounterBackEnd& x86::pmu_amd() { throw std::logic_error("no counter"); }
const CounterBackEnd& x86::icount() { throw std::logic_error("no counter"); }
bool x86::clear_machine_check() { return true; }
void arch::arm_timer(reprise::Nanoseconds time) { current->timers.push_back(time.value()); }
std::optional<Trap> x86::interrupt_trap(std::uint8_t vector) {
  current->handled.push_back(vector);
  if (vector != timer_vector || !current->expired) return std::nullopt;
  return Trap{.kind = Trap::Kind::Timer, .vector = vector};
}
void x86::handle_interrupt(std::uint8_t vector) { current->handled.push_back(vector); }
void x86::kick_self() { ++current->kicks; }
// What has a virtual CPU does not come here.
Trap arch::run_user(UserState& state) { return run_guest(state); }
