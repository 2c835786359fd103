// See string_io.hpp.
#include "user/monitor/string_io.hpp"

namespace monitor {
namespace {

constexpr std::uint64_t efer_long_active = 1 << 10;
constexpr std::uint16_t code_is_64_bit = 1 << 9, code_is_32_bit = 1 << 10;
constexpr std::uint64_t flag_down = 1 << 10;
constexpr std::uint64_t repeats = 3;  // reprise_guest_run.string
constexpr std::uint64_t page_fault = REPRISE_EVENT_EXCEPTION | REPRISE_EVENT_ERROR_CODE | 14;
constexpr std::uint64_t longest_instruction = 15;

bool runs_64_bit(const reprise_guest_state& state) {
  return (state.efer & efer_long_active) != 0 && (state.cs.attributes & code_is_64_bit) != 0;
}

}  // namespace

std::uint64_t StringIo::address_mask() const {
  return address_bits_ == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << address_bits_) - 1;
}

// Prefixes stand before the opcode, 6Ch to 6Fh; in 64-bit mode a REX prefix may, too.
void StringIo::read_prefixes() {
  const bool is_64_bit = runs_64_bit(state_);
  const bool is_32_bit = (state_.cs.attributes & code_is_32_bit) != 0;
  address_bits_ = is_64_bit ? 64 : (is_32_bit ? 32 : 16);
  const unsigned other_bits = !is_64_bit && is_32_bit ? 16 : 32;
  source_ = &state_.ds;
  for (std::uint64_t i = 0; i < longest_instruction; ++i) {
    std::uint8_t byte = 0;
    const std::uint64_t linear = (is_64_bit ? 0 : state_.cs.base) + state_.rip + i;
    if (transfer(linear, &byte, 1, MemoryUse::Read) != Step::Done) return;
    switch (byte) {
      case 0x26: source_ = &state_.es; break;
      case 0x2e: source_ = &state_.cs; break;
      case 0x36: source_ = &state_.ss; break;
      case 0x3e: source_ = &state_.ds; break;
      case 0x64: source_ = &state_.fs; break;
      case 0x65: source_ = &state_.gs; break;
      case 0x67: address_bits_ = other_bits; break;
      case 0x6c:
      case 0x6d:
      case 0x6e:
      case 0x6f: return;
      default: break;
    }
  }
}

StringIo::Step StringIo::translate(std::uint64_t linear, MemoryUse use, std::uint64_t& physical) {
  PageWalker walker{state_, memory_};
  const Translation found = walker.walk(linear, use);
  physical = found.physical;
  if (found.found) return Step::Done;
  state_.cr2 = linear;
  state_.event = page_fault | found.error_code << 32;
  return Step::Fault;
}

// All addresses are looked up first: an element is moved as a whole or not at all.
StringIo::Step StringIo::transfer(std::uint64_t linear, std::uint8_t* bytes, unsigned count,
                                  MemoryUse use) {
  constexpr unsigned most = 4;
  std::uint64_t physical[most]{};
  for (unsigned i = 0; i < count; ++i) {
    const Step step = translate(linear + i, use, physical[i]);
    if (step != Step::Done) return step;
  }
  for (unsigned i = 0; i < count; ++i) {
    const bool is_read = use == MemoryUse::Read;
    const bool there = is_read ? memory_.read(physical[i], bytes + i, 1)
                               : memory_.write(physical[i], bytes + i, 1);
    absent_address_ = physical[i];
    if (!there) return Step::NoMemory;
  }
  return Step::Done;
}

void StringIo::step_register(std::uint64_t& value, std::uint64_t by) const {
  const std::uint64_t mask = address_mask();
  const std::uint64_t next = (value + by) & mask;
  value = address_bits_ == 16 ? (value & ~mask) | next : next;
}

StringIo::Step StringIo::move(const reprise_guest_run& run) {
  const bool to_memory = run.write == 0;
  const auto width = static_cast<unsigned>(run.bytes);
  const bool flat = runs_64_bit(state_);
  const bool has_base = !flat || source_ == &state_.fs || source_ == &state_.gs;
  std::uint64_t& index = to_memory ? state_.rdi : state_.rsi;
  const std::uint64_t to_base = flat ? 0 : state_.es.base;
  const std::uint64_t from_base = has_base ? source_->base : 0;
  const std::uint64_t linear = (to_memory ? to_base : from_base) + (index & address_mask());
  const PortAccess access{
      .port = static_cast<std::uint16_t>(run.address), .bytes = width, .now = GuestTime{run.time}};
  std::uint8_t bytes[4]{};
  // The device is read only when its data can be stored.
  std::uint64_t physical = 0;
  for (unsigned i = 0; to_memory && i < width; ++i) {
    const Step step = translate(linear + i, MemoryUse::Write, physical);
    if (step != Step::Done) return step;
  }
  std::uint32_t value = 0;
  if (to_memory) value = computer_.read_port(access);
  for (unsigned i = 0; i < width; ++i) bytes[i] = static_cast<std::uint8_t>(value >> (8 * i));
  const Step step = transfer(linear, bytes, width, to_memory ? MemoryUse::Write : MemoryUse::Read);
  if (step != Step::Done) return step;
  for (unsigned i = 0; i < width; ++i) value |= std::uint32_t{bytes[i]} << (8 * i);
  if (!to_memory) computer_.write_port(access, value);
  const std::uint64_t size = width;
  step_register(index, (state_.rflags & flag_down) != 0 ? 0 - size : size);
  return Step::Done;
}

void StringIo::finish() {
  state_.rip = state_.next_rip;
  state_.shadow = 0;
}

StringIo::Outcome StringIo::carry_out(const reprise_guest_run& run) {
  read_prefixes();
  const bool counts = run.string == repeats;
  const std::uint64_t mask = address_mask();
  for (unsigned i = 0; i < most_elements; ++i) {
    if (counts && (state_.rcx & mask) == 0) break;
    const Step step = move(run);
    if (step == Step::Fault) return Outcome::GoesOn;
    if (step == Step::NoMemory) return Outcome::NoMemory;
    if (!counts) break;
    step_register(state_.rcx, ~std::uint64_t{0});
  }
  if (!counts || (state_.rcx & mask) == 0) finish();
  return Outcome::GoesOn;
}

}  // namespace monitor
