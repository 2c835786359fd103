// See injection.hpp. The item is taken apart from the left; each part that is wrong is named
// together with what may stand there.
#include "kernel/parse/injection.hpp"

#include <limits>

#include "kernel/base/address.hpp"
#include "kernel/parse/module_string.hpp"
#include "kernel/parse/text.hpp"

namespace reprise {
namespace {

constexpr std::size_t most_pages = 512;    // of a page set: the highest pe.pages
constexpr unsigned flags_bits = 0x244dd5;  // CF PF AF ZF SF TF DF OF NT AC ID: what ring 3 can set

InjectionOutcome wrong(std::string_view fault, std::string_view allowed) {
  return {std::nullopt, fault, allowed};
}

// "page.K.W" behind its first point.
bool read_page(Injection& injection, std::string_view text) {
  const Cut parts = cut(text, '.');
  const auto page = number(parts.head, 0, most_pages - 1);
  if (!page || !parts.tail) return false;
  const auto word = number(*parts.tail, 0, words_per_page - 1);
  if (!word) return false;
  injection.page = *page;
  injection.word = *word;
  return true;
}

bool read_target(Injection& injection, std::string_view text, WordNamed word_named) {
  const auto in_snapshot = behind(text, "snapshot.");
  const std::string_view rest = in_snapshot.value_or(text);
  if (const auto page = behind(rest, "page.")) {
    injection.target = in_snapshot ? Injection::Target::SnapshotPage : Injection::Target::Page;
    return read_page(injection, *page);
  }
  injection.target =
      in_snapshot ? Injection::Target::SnapshotRegister : Injection::Target::Register;
  const auto word = word_named(rest);
  if (!word) return false;
  injection.word = *word;
  return true;
}

// Other bits of RFLAGS are the kernel's: a program that had them would hold the machine.
bool is_flag_bit(std::string_view target, std::uint64_t bit) {
  const auto in_snapshot = behind(target, "snapshot.");
  if (in_snapshot.value_or(target) != "rflags") return true;
  return bit < 32 && (flags_bits >> bit & 1) != 0;
}

bool read_moment(Injection& injection, std::optional<std::string_view> text) {
  using Moment = Injection::Moment;
  if (!text) {
    injection.moment =
        injection.target == Injection::Target::Register ? Moment::Start : Moment::End;
    return true;
  }
  injection.moment = *text == "end" ? Moment::End : Moment::Start;
  return *text == "start" || *text == "end";
}

}  // namespace

InjectionOutcome parse_injection(std::string_view item, WordNamed word_named) {
  Injection injection;
  const Cut process = cut(item, ':');
  if (!process.tail) return wrong(item, "PROCESS:PE:RUN:TARGET:BIT[:start|end]");
  if (!is_process_name(process.head)) return wrong(process.head, "a process name");
  injection.process = process.head;

  const Cut element = cut(*process.tail, ':');
  const auto count = number(element.head, 1, std::numeric_limits<std::uint64_t>::max());
  if (!count || !element.tail) return wrong(element.head, "PE: a number from 1, then :RUN");
  injection.element = *count;

  const Cut run = cut(*element.tail, ':');
  const auto which = number(run.head, 1, 2);
  if (!which || !run.tail) return wrong(run.head, "RUN: 1 or 2, then :TARGET");
  injection.run = static_cast<unsigned>(*which);

  const Cut target = cut(*run.tail, ':');
  if (!read_target(injection, target.head, word_named) || !target.tail)
    return wrong(target.head,
                 "TARGET: REGISTER, page.K.W, snapshot.REGISTER or snapshot.page.K.W"
                 " (K 0 to 511, W 0 to 511), then :BIT");
  const Cut bit = cut(*target.tail, ':');
  const auto position = number(bit.head, 0, 63);
  if (!position) return wrong(bit.head, "BIT: 0 to 63");
  if (!is_flag_bit(target.head, *position))
    return wrong(bit.head, "a bit of rflags that ring 3 can have: 0 2 4 6 7 8 10 11 14 18 21");
  injection.bit = static_cast<unsigned>(*position);
  if (!read_moment(injection, bit.tail)) return wrong(*bit.tail, "start or end");
  return {injection, {}, {}};
}

}  // namespace reprise
