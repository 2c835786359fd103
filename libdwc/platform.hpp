// What the engine needs of a machine. The kernel gives it page tables, frames and the trap state;
// host tests give it a fake machine with a tiny interpreter. Start reading libdwc here, then
// controller.hpp, which drives all of it.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace dwc {

enum class Run : std::uint8_t { First, Second };

enum class Write : std::uint8_t { Protected, Enabled };

// Content of a page before its first write in a PE: where it lies and whether the frame is the
// page's own. A shared frame (zero page, program file) is never written in place.
template <class Frame>
struct Origin {
  Frame frame;
  bool shared;
};

struct Comparison {
  std::optional<std::size_t> first_difference;  // word index; nothing when all words agree
  std::uint64_t check_word;                     // of the first operand
};

// What a platform says of its counter of retired instructions.
struct Counter {
  bool counts = false;          // there is one that can be used
  std::uint64_t margin = 0;     // an overflow arrives at most so many instructions late
  std::uint64_t tolerance = 0;  // how far two counts of the same instructions may differ
};

// A register set is one flat sequence of words (UPRR: general, RIP, RFLAGS, selectors, bases,
// extended state in canonical form).
template <class R>
concept RegisterSet = requires(R& r, const R& c) {
  { r.words() } -> std::same_as<std::span<std::uint64_t>>;
  { c.words() } -> std::same_as<std::span<const std::uint64_t>>;
};

// Registers may have room for words that this machine does not have: those are not copied.
template <RegisterSet R>
void copy_words(R& to, const R& from) {
  const std::span<const std::uint64_t> words = from.words();
  __builtin_memcpy(to.words().data(), words.data(), words.size_bytes());
}

template <class P>
concept Platform = RegisterSet<typename P::Registers> &&
    std::equality_comparable<typename P::Page> && std::equality_comparable<typename P::Frame> &&
    requires(P& p, const P& c, typename P::Page page, typename P::Frame frame, Write write, Run run,
             const typename P::Registers& target, std::uint64_t ticks, std::uint64_t count,
             std::optional<std::uint64_t> rip) {
  // Frames. copy() returns the check word of the content copied; copy_at_fault() leaves the
  // program's extended state in the CPU alone.
  { p.allocate() } -> std::same_as<std::optional<typename P::Frame>>;
  { p.release(frame) } -> std::same_as<void>;
  { p.copy(frame, frame) } -> std::same_as<std::uint64_t>;           // (to, from)
  { p.copy_at_fault(frame, frame) } -> std::same_as<std::uint64_t>;  // (to, from)
  { p.compare(frame, frame) } -> std::same_as<Comparison>;
  { p.words(frame) } -> std::same_as<std::span<std::uint64_t>>;

  // Translations of the process. map() puts an owned frame behind an existing page with dirty and
  // accessed clear; none of these invalidates by itself.
  { p.origin(page) } -> std::same_as<Origin<typename P::Frame>>;
  { p.map(page, frame, write) } -> std::same_as<void>;
  { p.dirty(page) } -> std::same_as<bool>;
  { p.clear_dirty(page) } -> std::same_as<void>;
  { p.invalidate(page) } -> std::same_as<void>;
  { p.invalidate_all() } -> std::same_as<void>;

  // Registers, of which rip_word is the instruction pointer. registers() is the live state, of
  // which each trap saves the first trap_words (general registers, RIP, RFLAGS) and leaves the rest
  // in the CPU (extended state, bases, selectors): complete() fetches it, load() puts the whole
  // live state back, reload() only what complete() and compare() may have changed.
  { P::rip_word } -> std::convertible_to<std::size_t>;
  { P::trap_words } -> std::convertible_to<std::size_t>;
  { p.registers() } -> std::same_as<typename P::Registers&>;
  { p.complete() } -> std::same_as<void>;
  { p.load() } -> std::same_as<void>;
  { p.reload() } -> std::same_as<void>;

  // Time in ticks of the platform's clock; the timer stops a run once (event Timer), 0 disarms it.
  { p.now() } -> std::same_as<std::uint64_t>;
  { p.arm_timer(ticks) } -> std::same_as<void>;

  // Counter of the process's retired instructions, from 0 again at restart_count(): a hint.
  // stop_at_count() stops a run (event Counter) once count() has reached the number, late by the
  // skid; 0: off. What arm_timer() has armed may come first.
  { c.counter() } -> std::same_as<Counter>;
  { p.restart_count() } -> std::same_as<void>;
  { p.count() } -> std::same_as<std::uint64_t>;
  { p.stop_at_count(count) } -> std::same_as<void>;

  // Positions. break_at() stops a run (event Break) whenever it arrives at that RIP, before the
  // instruction there, until told otherwise; a run that stands there when it is resumed has not
  // arrived. step() is for the next resume only (event Step) and may stop behind two instructions.
  // At a repeated instruction (repeats()) it stops at that iteration at which `target` stands, if
  // there is one ahead, else behind the last: never at each. Another event may come instead.
  { p.break_at(rip) } -> std::same_as<void>;
  { p.step(target) } -> std::same_as<void>;
  { p.repeats() } -> std::same_as<bool>;

  // Cache flush between the runs, as the platform was told to (may do nothing).
  { p.flush_caches() } -> std::same_as<void>;

  // Fault injection and tracing: a run is about to begin (live registers loaded next), or has just
  // ended (live registers complete, pages in place, nothing compared yet).
  { p.run_begins(run) } -> std::same_as<void>;
  { p.run_ended(run) } -> std::same_as<void>;
};

}  // namespace dwc
