#include "kernel/context/gate.hpp"

#include "arch/guest_state.hpp"
#include "arch/nondeterminism.hpp"
#include "arch/page_table.hpp"
#include "arch/run_user.hpp"
#include "arch/user_state.hpp"
#include "kernel/base/assert.hpp"
#include "kernel/context/register_frame.hpp"

namespace reprise {

using arch::GuestWord;
using arch::Register;

// ---- Registers ----

void Gate::first_instruction(UserAddr entry, UserAddr start_block) {
  arch::initialize(context_.live(), entry.value(), 0);
  word(Register::Rdi) = start_block.value();
}

void Gate::call_result(std::uint64_t value) { word(Register::Rax) = value; }

void Gate::error(reprise_error error) { call_result(-static_cast<std::uint64_t>(error)); }

void Gate::message_words(const arch::UserState& sender) {
  for (const Register name : {Register::Rsi, Register::Rdx, Register::R10}) {
    word(name) = sender[name];
  }
}

void Gate::message_bytes(std::uint64_t count) { word(Register::R8) = count; }

void Gate::notes(std::uint64_t notes) {
  word(Register::Rsi) = notes;
  call_result(0);
}

void Gate::set_base(Base base, UserAddr address) {
  const Register name = base == Base::Fs ? Register::FsBase : Register::GsBase;
  word(name) = address.value();
}

void Gate::register_contents(const reprise_frame& frame) { set_registers(context_.live(), frame); }

bool Gate::emulated_instruction(std::span<const std::uint8_t> code) {
  return arch::emulate_instruction(context_.live(), code);
}

bool Gate::exception(const dwc::PeEnd& end) {
  const ExceptionHandler handler = context_.exception_handler;
  if (handler.entry.value() == 0) return false;
  if (!prepare(handler.frame, sizeof(reprise_frame))) return false;
  context_.exception_handler = {};
  reprise_frame frame = register_frame(context_.live());
  frame.vector = end.vector;
  frame.error_code = end.error_code;
  frame.fault_address = end.fault_address;
  const Outcome written = write_bytes(handler.frame, std::as_bytes(std::span{&frame, 1}));
  REPRISE_ASSERT(written);  // prepared
  reprise_frame entry = frame;
  entry.rip = handler.entry.value();
  entry.rdi = handler.frame.value();
  entry.rflags = 0;
  register_contents(entry);
  return true;
}

// ---- A guest's registers ----

namespace {

// With the instruction carried out first, if it is. One event at a time, and an interrupt or an NMI
// not behind STI or MOV SS.
bool can_deliver(const arch::UserState& state, const reprise_guest_run& run) {
  constexpr std::uint64_t type = 7ul << 8;
  arch::UserState then = state;
  if (run.done != 0) arch::skip_instruction(then);
  if (then[GuestWord::Event] != 0) return false;
  switch (run.event & (type | REPRISE_EVENT_INTERRUPT)) {
    case REPRISE_EVENT_INTERRUPT: return arch::takes_interrupts(then);
    case REPRISE_EVENT_NMI & ~2ul: return then[GuestWord::Shadow] == 0;
    case REPRISE_EVENT_EXCEPTION: return true;
    default: return false;
  }
}

}  // namespace

void Gate::guest_goes_on() { arch::skip_instruction(context_.live()); }

void Gate::guest_time_stamp(std::uint64_t time) {
  word(Register::Rax) = time & 0xffffffff;
  word(Register::Rdx) = time >> 32;
  guest_goes_on();
}

void Gate::guest_event(std::uint64_t event) { word(GuestWord::Event) = event; }

bool Gate::guest_answer(const reprise_guest_run& run) {
  arch::UserState& state = context_.live();
  if (run.event != 0 && !can_deliver(state, run)) return false;
  if (run.done != 0) {
    state[Register::Rax] = run.rax;
    state[Register::Rbx] = run.rbx;
    state[Register::Rcx] = run.rcx;
    state[Register::Rdx] = run.rdx;
    guest_goes_on();
  }
  state[GuestWord::Window] = run.window != 0 ? 1 : 0;
  if (run.event != 0) state[GuestWord::Event] = run.event;
  return true;
}

void Gate::guest_state(const reprise_guest_state& state) {
  set_guest_registers(context_.live(), state);
}

// ---- Memory ----

Outcome Gate::write_bytes(UserAddr to, std::span<const std::byte> from) {
  if (!context_.space_.writable(to, from.size())) return Failure{REPRISE_BAD_ADDRESS};
  forget_bytes(to, from.size());
  return context_.space_.load(to, from);
}

Outcome Gate::prepare(UserAddr to, std::size_t bytes) {
  if (!context_.space_.writable(to, bytes)) return Failure{REPRISE_BAD_ADDRESS};
  forget_bytes(to, bytes);
  return context_.space_.prepare(to, bytes);
}

// No page of the range is mapped: the engine knows none of them.
Outcome Gate::map_zero(PageRange range, arch::Permissions permissions) {
  return context_.space_.map_zero(range, permissions);
}

Outcome Gate::map_frames(PageRange range, FrameNumber first, arch::Permissions permissions,
                         arch::Ownership ownership) {
  return context_.space_.map_frames(range, first, permissions, ownership);
}

Outcome Gate::replace_by_zero(PageRange range, arch::Permissions permissions) {
  const Outcome made = context_.space_.make_tables(range);
  if (!made) return made;
  unmap(range);
  return map_zero(range, permissions);
}

void Gate::unmap(PageRange range) {
  context_.space_.for_each_mapped(range, [this](arch::Leaf page) {
    forget(page.page());
    context_.space_.unmap(page);
  });
}

Outcome Gate::protect(PageRange range, arch::Permissions permissions) {
  if (!context_.space_.protectable(range)) return Failure{REPRISE_BAD_ADDRESS};
  context_.space_.for_each_mapped(range, [&](arch::Leaf page) {
    forget(page.page());
    AddressSpace::protect(page, permissions);
  });
  return Done{};
}

void Gate::own_writes() {
  if (context_.hardening_) context_.hardening_->engine().forget_modified();
}

// ---- Devices ----

void Gate::open_device_page(PageNumber page) {
  const std::optional<arch::Leaf> leaf = context_.space_.table().leaf(page);
  REPRISE_ASSERT(leaf);  // the fault was found to be on a device page
  leaf->open_device();
}

void Gate::close_device_page(PageNumber page) {
  const std::optional<arch::Leaf> leaf = context_.space_.table().leaf(page);
  REPRISE_ASSERT(leaf);  // nothing unmaps it meanwhile
  leaf->close_device();
}

void Gate::begin_device_access(std::optional<UserAddr> store) {
  own_store(store, arch::WriteAccess::Enabled);
  arch::load_rest(context_.live());
  arch::set_single_step(true);
}

arch::Trap Gate::device_data() { return arch::run_user(context_.live()); }

void Gate::end_device_access(std::optional<UserAddr> store) {
  arch::set_single_step(false);
  arch::save_rest(context_.live());
  own_store(store, arch::WriteAccess::Protected);
  own_writes();
}

// The store may begin in one page and end in the next. A part that is not writable faults before
// the access, as it should.
void Gate::own_store(std::optional<UserAddr> store, arch::WriteAccess access) {
  if (!store) return;
  for (const UserAddr byte : {*store, *store + (widest_store - 1)}) {
    if (!context_.space_.writable(byte, 1)) continue;
    forget(page_of(byte));
    static_cast<void>(context_.space_.own(page_of(byte), access));
  }
}

// ---- The end ----

void Gate::end() {
  context_.status = ContextStatus::Ended;
  if (context_.hardening_) context_.hardening_->engine().clear();
  context_.space_.unmap_all();
}

// ---- The engine's books ----

void Gate::forget(PageNumber page) {
  if (context_.hardening_) context_.hardening_->engine().forget(page);
}

void Gate::forget_bytes(UserAddr start, std::size_t bytes) {
  if (bytes == 0) return;
  const PageNumber last = page_of(start + (bytes - 1));
  for (PageNumber page = page_of(start); page <= last; page = page + 1) forget(page);
}

}  // namespace reprise
