// What the engine needs of memory: the view that one run has of a process's pages. The kernel gives
// it page tables and frames; host tests give it a fake machine. Its sister is core.hpp.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace dwc {

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

// Page is a handle of one mapped page: two are equal when they name the same page, and it stays
// valid while the page is mapped. PageNumber is the page's plain name, for reports and callers.
template <class S>
concept Space = std::semiregular<typename S::Page> && std::equality_comparable<typename S::Page> &&
    std::semiregular<typename S::PageNumber> && std::equality_comparable<typename S::PageNumber> &&
    std::semiregular<typename S::Frame> && std::equality_comparable<typename S::Frame> &&
    requires(S& s, typename S::Page page, typename S::PageNumber number, typename S::Frame frame,
             Write write) {
  { s.number(page) } -> std::same_as<typename S::PageNumber>;
  { s.ordinal(number) } -> std::same_as<std::uint64_t>;  // the number as an integer

  // Frames. free_frames() says how many allocate() can still give. checked_copy()
  // and copy_at_fault() return the check word of the content copied. copy_at_fault() leaves the
  // program's extended state in the CPU alone.
  { s.allocate() } -> std::same_as<std::optional<typename S::Frame>>;
  { s.release(frame) } -> std::same_as<void>;
  { s.free_frames() } -> std::same_as<std::uint64_t>;
  { s.copy(frame, frame) } -> std::same_as<void>;                    // (to, from)
  { s.checked_copy(frame, frame) } -> std::same_as<std::uint64_t>;   // (to, from)
  { s.copy_at_fault(frame, frame) } -> std::same_as<std::uint64_t>;  // (to, from)
  { s.compare(frame, frame) } -> std::same_as<Comparison>;
  { s.words(frame) } -> std::same_as<std::span<std::uint64_t>>;

  // Translations. map() puts an owned frame behind an existing page with dirty and accessed clear.
  // None of these invalidates by itself, but invalidate() and invalidate_all().
  { s.origin(page) } -> std::same_as<Origin<typename S::Frame>>;
  { s.map(page, frame, write) } -> std::same_as<void>;
  { s.dirty(page) } -> std::same_as<bool>;
  { s.clear_dirty(page) } -> std::same_as<void>;
  { s.invalidate(page) } -> std::same_as<void>;
  { s.invalidate_all() } -> std::same_as<void>;

  // Caches: between the runs as far as the settings ask for it (perhaps nothing); before a restart
  // all of them, whatever the settings say, so that each line is read from memory again. The first
  // says how many pages it has flushed one by one.
  { s.flush_caches() } -> std::same_as<std::uint64_t>;
  { s.flush_everything() } -> std::same_as<void>;
};

}  // namespace dwc
