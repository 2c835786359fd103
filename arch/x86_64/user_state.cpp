// Saving and loading a process's registers. The aim is that equal register contents always give
// equal words. The CPU may leave parts of an XSAVE image out, and says in XSTATE_BV which are in
// their initial state (Intel SDM Vol. 1 §13.7). So the image is zeroed first, for the bytes that
// belong to no register. Afterwards make_canonical() gives each component its value and marks it
// present, so XRSTOR lets both runs begin with the same XINUSE.
#include "arch/user_state.hpp"

#include "arch/x86_64/board.hpp"
#include "arch/x86_64/extended_state.hpp"
#include "arch/x86_64/guest.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/layout.hpp"

namespace arch {

using namespace x86;

namespace {

// FNINIT clears the addresses of the last x87 instruction and operand. QEMU 7.2 keeps them out of
// the image, and AMD takes them from it only with an exception pending (APM Vol. 5, FXRSTOR).
// Without FNINIT, FNSTENV would store those of a program that ran before.
void restore_extended(const UserState& state) {
  fninit();
  if (board.extended_state.components != 0) {
    xrstor64(state.extended.data(), board.extended_state.components);
  } else {
    fxrstor64(state.extended.data());
  }
}

// A flip put into an image for a test may set bits that no register has, and XRSTOR would fault. So
// the header is always that of make_canonical(), and MXCSR has only bits that exist.
[[gnu::noinline]] void load_corrected(const UserState& state) {
  UserState copy = state;
  copy.extended[mxcsr_word] &= board.extended_state.mxcsr_mask | ~0xffffffffull;
  for (std::size_t i = 0; i < header_words; ++i) copy.extended[header_word + i] = 0;
  copy.extended[header_word] = board.extended_state.components;
  restore_extended(copy);
}

void load_extended(const UserState& state) {
  const std::uint64_t* const header = &state.extended[header_word];
  std::uint64_t wrong = header[0] ^ board.extended_state.components;
#pragma GCC unroll 8
  for (std::size_t i = 1; i < header_words; ++i) wrong |= header[i];
  const auto mxcsr = static_cast<std::uint32_t>(state.extended[mxcsr_word]);
  wrong |= mxcsr & ~board.extended_state.mxcsr_mask;
  if (wrong == 0) return restore_extended(state);
  load_corrected(state);
}

// Selectors 0 to 3 are all the null selector, and IRET sets them to 0 (Intel SDM Vol. 2A, IRET).
std::uint64_t normalized(std::uint16_t selector) { return selector <= 3 ? 0 : selector; }

// Programs in 64-bit mode have null selectors, unless they go out of their way.
void save_selectors(UserState& state) {
  const std::uint16_t ds = read_ds(), es = read_es(), fs = read_fs(), gs = read_gs();
  const bool all_null = (ds | es | fs | gs) <= 3;
  state[Register::Ds] = all_null ? 0 : normalized(ds);
  state[Register::Es] = all_null ? 0 : normalized(es);
  state[Register::Fs] = all_null ? 0 : normalized(fs);
  state[Register::Gs] = all_null ? 0 : normalized(gs);
}

std::uint16_t loadable_selector(std::uint64_t word) {
  const bool loadable = (word | 3) == user_data_selector || (word | 3) == user_code_selector;
  return loadable ? static_cast<std::uint16_t>(word) : 0;
}

// The bits that a base register has: an address with bits 63:48 unlike bit 47 would fault.
std::uint64_t canonical_address(std::uint64_t address) {
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(address << 16) >> 16);
}

// In ring 0 the program's GS base is the one that SWAPGS puts aside (per_cpu.hpp).
void save_bases(UserState& state) {
  const bool quick = board.base_instructions;
  state[Register::FsBase] = quick ? read_fs_base() : read_msr(Msr::FsBase);
  state[Register::GsBase] = quick ? read_program_gs_base() : read_msr(Msr::KernelGsBase);
}

void load_bases(const UserState& state) {
  const std::uint64_t fs = canonical_address(state[Register::FsBase]);
  const std::uint64_t gs = canonical_address(state[Register::GsBase]);
  if (board.base_instructions) {
    write_fs_base(fs);
    write_program_gs_base(gs);
    return;
  }
  write_msr(Msr::FsBase, fs);
  write_msr(Msr::KernelGsBase, gs);
}

// A guest's own words stand behind the longest image. This machine's may be shorter: no register
// is in the gap between.
std::size_t words_before_gap() { return general_words + board.extended_state.words; }
std::size_t bytes_before_gap() { return words_before_gap() * sizeof(std::uint64_t); }

std::size_t words_of(const UserState& state) {
  static_assert(offsetof(UserState, guest) == (general_words + extended_words) * 8);
  if (state.virtual_cpu != nullptr) return general_words + extended_words + guest_words;
  return words_before_gap();
}

void save_extended(UserState& state) {
  clear_leftovers(state.extended, board.extended_state);
  if (board.extended_state.components != 0) {
    xsave64(state.extended.data(), board.extended_state.components);
    make_canonical(state.extended, board.extended_state);
  } else {
    fxsave64(state.extended.data());
  }
}

}  // namespace

std::span<std::uint64_t> UserState::words() { return {general.data(), words_of(*this)}; }
std::span<const std::uint64_t> UserState::words() const {
  return {general.data(), words_of(*this)};
}

bool UserState::same_as(const UserState& other) const {
  const VectorOperations& with = *board.vector_operations;
  std::uint64_t differing =
      with.differing_bits(general.data(), other.general.data(), bytes_before_gap());
  if (virtual_cpu != nullptr)
    differing |= with.differing_bits(guest.data(), other.guest.data(), sizeof(guest));
  return differing == 0;
}

std::uint64_t UserState::check_word() const {
  const VectorOperations& with = *board.vector_operations;
  std::uint64_t sum = with.check_word(general.data(), bytes_before_gap());
  if (virtual_cpu != nullptr) sum ^= with.check_word(guest.data(), sizeof(guest));
  return sum;
}

void begin_as(UserState& state, const UserState& start) {
  board.vector_operations->copy_words(state.general.data(), start.general.data(),
                                      sizeof(start.general));
}

void initialize(UserState& state, std::uint64_t rip, std::uint64_t rsp) {
  state = UserState{};
  state[Register::Rip] = rip;
  state[Register::Rsp] = rsp;
  state[Register::Rflags] = Rflags::Fixed | Rflags::If;
  state[Register::Cs] = user_code_selector;
  state[Register::Ss] = user_data_selector;
  state.extended[control_word] = initial_control;
  state.extended[mxcsr_word] = initial_mxcsr | board.extended_state.mxcsr_mask << 32;
  state.extended[header_word] = board.extended_state.components;
}

void save_rest(UserState& state) {
  if (state.virtual_cpu != nullptr) {
    save_guest(state);
  } else {
    save_selectors(state);
    save_bases(state);
  }
  save_extended(state);
}

// FS and GS change their bases, so they come before them.
void load_rest(const UserState& state) {
  if (state.virtual_cpu != nullptr) {
    load_guest(state);
    return load_extended(state);
  }
  const std::uint64_t ds = state[Register::Ds], es = state[Register::Es];
  const std::uint64_t fs = state[Register::Fs], gs = state[Register::Gs];
  const bool all_null = (ds | es | fs | gs) == 0;
  write_ds(all_null ? 0 : loadable_selector(ds));
  write_es(all_null ? 0 : loadable_selector(es));
  write_fs(all_null ? 0 : loadable_selector(fs));
  write_program_gs(all_null ? 0 : loadable_selector(gs));
  load_bases(state);
  load_extended(state);
}

void load_used(const UserState& state) {
  if (board.extended_state.components == 0) return load_rest(state);
  xrstor64(state.extended.data(), board.extended_state.components & ~Xcr0::X87);
}

bool control_bits_corrupt(const UserState& state) {
  if (state.virtual_cpu != nullptr) return false;
  return (state[Register::Rflags] & (Rflags::If | Rflags::Iopl)) != Rflags::If;
}

}  // namespace arch
