// What the engine needs of a processor: the registers of the context that runs there, time, a
// counter of instructions, single steps and breakpoints. Its sister is space.hpp. Start reading
// libdwc with these two, then controller.hpp, which drives all of it.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace dwc {

enum class WhichRun : std::uint8_t { First, Second };

// What a core says of its counter of retired instructions.
struct Counter {
  bool counts = false;          // there is one that can be used
  std::uint64_t margin = 0;     // an overflow arrives at most so many instructions late
  std::uint64_t tolerance = 0;  // how far two counts of the same instructions may differ
};

// A register set is one flat sequence of words (UPRR: general, RIP, RFLAGS, selectors, bases,
// extended state in canonical form). same_as() compares every word. Any one flipped bit changes
// check_word(). Both may spoil the extended state in the CPU, as Space::compare() may.
template <class R>
concept RegisterSet = requires(R& r, const R& c) {
  { r.words() } -> std::same_as<std::span<std::uint64_t>>;
  { c.words() } -> std::same_as<std::span<const std::uint64_t>>;
  { c.same_as(c) } -> std::same_as<bool>;
  { c.check_word() } -> std::same_as<std::uint64_t>;
};

// Registers may have room for words that this machine does not have: those are not copied.
template <RegisterSet R>
void copy_words(R& to, const R& from) {
  const std::span<const std::uint64_t> words = from.words();
  __builtin_memcpy(to.words().data(), words.data(), words.size_bytes());
}

template <class C>
concept Core = RegisterSet<typename C::Registers> &&
    requires(C& c, const C& constant, WhichRun run, const typename C::Registers& target,
             typename C::Registers*& other, std::uint64_t ticks, std::uint64_t count,
             std::optional<std::uint64_t> rip) {
  // Registers; rip_word is the instruction pointer. registers() is the live state. Each trap saves
  // its first trap_words (general registers, RIP, RFLAGS) and leaves the rest in the CPU (extended
  // state, bases, selectors). complete() fetches the rest, load() puts the whole live state back,
  // reload() only what complete() and Space::compare() may have changed.
  { C::rip_word } -> std::convertible_to<std::size_t>;
  { C::trap_words } -> std::convertible_to<std::size_t>;
  { c.registers() } -> std::same_as<typename C::Registers&>;
  // The live registers, which are complete, and those at `other` change places without a copy.
  // `other` then points to those that were live. Those that are live now stay unused until a run
  // begins.
  { c.exchange_registers(other) } -> std::same_as<void>;
  { c.complete() } -> std::same_as<void>;
  { c.load() } -> std::same_as<void>;
  { c.reload() } -> std::same_as<void>;

  // Time in ticks of the core's clock; the timer stops a run once (event Timer), 0 disarms it.
  { c.now() } -> std::same_as<std::uint64_t>;
  { c.arm_timer(ticks) } -> std::same_as<void>;

  // Counter of the context's retired instructions, from 0 again at restart_count(): a hint.
  // stop_at_count() stops a run (event Counter) once count() has reached the number, late by the
  // skid; 0: off. What arm_timer() has armed may come first.
  { constant.counter() } -> std::same_as<Counter>;
  { c.restart_count() } -> std::same_as<void>;
  { c.count() } -> std::same_as<std::uint64_t>;
  { c.stop_at_count(count) } -> std::same_as<void>;

  // Positions. break_at() stops a run (event Break) whenever it arrives at that RIP, before the
  // instruction there, until told otherwise; a run that stands there when it is resumed has not
  // arrived. step() is for the next resume only (event Step) and may stop behind two instructions.
  // At a repeated instruction (repeats()) it stops at that iteration at which `target` stands, if
  // there is one ahead, else behind the last: never at each. Another event may come instead.
  { c.break_at(rip) } -> std::same_as<void>;
  // A context that cannot be stepped (single_steps()) has step() at repeated instructions only.
  { c.step(target) } -> std::same_as<void>;
  { c.repeats() } -> std::same_as<bool>;
  { constant.single_steps() } -> std::same_as<bool>;

  // A run is about to begin: the live registers become those of `target`, as far as traps save
  // them, and load() puts all of `target` into the CPU. `target` stays as it is until then. Or the
  // run has just ended: live registers complete, pages in place, nothing compared yet. These are
  // moments for fault injection, too.
  { c.run_begins(run, target) } -> std::same_as<void>;
  { c.run_ended(run) } -> std::same_as<void>;
};

}  // namespace dwc
