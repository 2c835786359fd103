#include "tests/kernel/whole_kernel/guest.hpp"

#include <stdexcept>
#include <utility>

#include "arch/virtual_cpu.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/vmcb.hpp"
#include "kernel/supervisor.hpp"

namespace fakes {

using namespace reprise;
using arch::Register;
using arch::Trap;
using arch::UserState;

namespace {

constexpr std::uint64_t state_place = data + page_size;

// Nobody can run.
struct Idle {};

// While it lives, accesses go by the guest's nested table.
class NestedTable {
public:
  explicit NestedTable(const UserState& guest)
      : before_{std::exchange(arch::x86::cpu.cr3, guest.virtual_cpu->block().nested_root)} {}
  NestedTable(const NestedTable&) = delete;
  NestedTable& operator=(const NestedTable&) = delete;
  ~NestedTable() { arch::x86::cpu.cr3 = before_; }

private:
  std::uint64_t before_;
};

Process& start_guest(Kernel& kernel, const Process& monitor, std::uint64_t hardened) {
  offer_guests();
  return kernel.start(guest_of(monitor, hardened));
}

void require(bool condition, const char* what) {
  if (!condition) throw std::logic_error(what);
}

}  // namespace

void offer_guests() {
  arch::x86::cpu.leaves[{0x80000000, 0}] = {.eax = 0x8000001f};
  arch::x86::cpu.leaves[{0x80000001, 0}] = {.ecx = 1 << 2};
  arch::x86::cpu.leaves[{0x8000000a, 0}] = {.edx = 1};
}

ProgramRequest guest_of(const Process& monitor, std::uint64_t hardened) {
  return {.hardened = hardened, .monitor = monitor.number()};
}

Stay exits(arch::GuestExit code, std::uint64_t info, std::uint64_t next) {
  return [=](const UserState& state) {
    arch::x86::Vmcb& block = state.virtual_cpu->block();
    block.exit_code = static_cast<std::uint64_t>(code);
    block.exit_info_2 = next;
    return Trap{.kind = Trap::Kind::Exit,
                .error_code = static_cast<std::uint32_t>(code),
                .fault_address = info};
  };
}

Stay exits_after(std::uint64_t nanoseconds, arch::GuestExit code) {
  return [=](UserState& state) {
    hardware.now += nanoseconds;
    return exits(code)(state);
  };
}

Stay faults(std::uint64_t address, std::uint32_t error_code) {
  return [=](const UserState&) { return page_fault(address, error_code); };
}

std::optional<Trap> store_as(const UserState& guest, std::uint64_t address, std::uint64_t value) {
  const NestedTable table{guest};
  return store(address, value);
}

std::uint64_t load_as(const UserState& guest, std::uint64_t address) {
  const NestedTable table{guest};
  return load(address);
}

GuestMachine::GuestMachine(std::uint64_t hardened)
    : monitor{kernel.start()}, guest{start_guest(kernel, monitor, hardened)} {
  kernel.map(monitor, somewhere, 1);
  kernel.put(monitor, data, reprise_guest_run{});
  kernel.put(monitor, state_place, reprise_guest_state{});
}

std::int64_t GuestMachine::call(std::uint64_t number, std::uint64_t second, std::uint64_t third,
                                std::uint64_t fourth) {
  return kernel.call(monitor, number, guest.number(), second, third, fourth);
}

std::int64_t GuestMachine::let_go(const reprise_guest_run& answer) {
  kernel.put(monitor, data, answer);
  return call(REPRISE_GUEST_RUN, data);
}

void GuestMachine::supervise(const std::vector<Stay>& script) {
  const std::size_t first = elements();
  hardware.ring_3 = [&, first](UserState& state) {
    return state.virtual_cpu != nullptr ? run_guest(state, script, first) : run_program(state);
  };
  hardware.on_idle = [] { throw Idle{}; };
  try {
    reprise::supervise(kernel.machine());
  } catch (const Idle&) {
    require(elements() - first == script.size() || guest.has_ended(),
            "the guest has stopped early");
  }
}

reprise_guest_run GuestMachine::next_stop(const std::vector<Stay>& script,
                                          const reprise_guest_run& answer) {
  require(let_go(answer) == 0, "GUEST_RUN is refused");
  supervise(script);
  return told();
}

reprise_guest_run GuestMachine::told() const {
  return kernel.get<reprise_guest_run>(monitor, data);
}

void GuestMachine::map(std::uint64_t address, std::uint64_t pages) {
  require(call(REPRISE_GUEST_MAP, address, pages * page_size) == 0, "no guest memory");
}

reprise_guest_state GuestMachine::state() {
  require(call(REPRISE_GUEST_STATE, state_place) == 0, "GUEST_STATE is refused");
  return kernel.get<reprise_guest_state>(monitor, state_place);
}

void GuestMachine::set_state(const reprise_guest_state& state) {
  kernel.put(monitor, state_place, state);
  require(call(REPRISE_GUEST_SET_STATE, state_place) == 0, "GUEST_SET_STATE is refused");
}

Trap GuestMachine::run_guest(UserState& state, const std::vector<Stay>& script, std::size_t first) {
  const std::size_t place = elements() - first;
  require(place < script.size(), "the guest goes on");
  require(monitor.context().status == ContextStatus::InGuest, "the monitor has the turn, too");
  return script[place](state);
}

// RECEIVE, without a buffer.
Trap GuestMachine::run_program(UserState& state) {
  const bool guest_waits = guest.context().status == ContextStatus::AtMonitor || guest.has_ended();
  const bool monitor_waits = monitor.context().status != ContextStatus::Ready;
  require(guest_waits || monitor_waits, "the guest has the turn, too");
  state[Register::Rax] = REPRISE_RECEIVE;
  state[Register::Rdi] = 0;
  state[Register::R8] = 0;
  state[Register::R9] = 0;
  return system_call();
}

}  // namespace fakes
