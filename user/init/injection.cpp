// Reads an injection (settings.hpp), part by part from the left. The error names the first part
// that is wrong or missing, and what may stand there.
#include "kernel/abi/init.hpp"
#include "user/init/guests.hpp"
#include "user/init/settings.hpp"
#include "user/init/words.hpp"

namespace reprise {
namespace {

bool read_page(Injection& injection, std::string_view place, Injection::Target target) {
  injection.target = target;
  const Cut parts = cut(place, '.');
  return parts.tail && read_number(parts.head, 0, most_pe_pages - 1, injection.page) &&
         read_number(*parts.tail, 0, words_per_page - 1, injection.word);
}

bool read_target(Injection& injection, std::string_view text, WordNamed word_named) {
  using Target = Injection::Target;
  const auto in_snapshot = behind(text, "snapshot.");
  const std::string_view name = in_snapshot.value_or(text);
  if (const auto place = behind(name, "page."))
    return read_page(injection, *place, in_snapshot ? Target::SnapshotPage : Target::Page);
  if (const auto place = behind(text, "unmodified."))
    return read_page(injection, *place, Target::UnmodifiedPage);
  injection.target = in_snapshot ? Target::SnapshotRegister : Target::Register;
  const auto word = word_named(name);
  injection.word = word.value_or(0);
  return word.has_value();
}

constexpr std::array moment_words{
    ChoiceWord<Injection::Moment>{.word = "start", .value = Injection::Moment::Start},
    ChoiceWord<Injection::Moment>{.word = "end", .value = Injection::Moment::End},
};

// Reads the part behind BIT. Offset 0 is not allowed: it would be the start, which has its own
// word.
bool read_moment(Injection& injection, std::string_view text) {
  if (read_choice(text, moment_words, injection.moment)) return true;
  injection.moment = Injection::Moment::Offset;
  const auto offset = behind(text, "at=");
  return offset && read_number(*offset, 1, ~std::uint64_t{0}, injection.offset);
}

}  // namespace

Result<NamedInjection, ArgumentError> parse_injection(std::string_view item, WordNamed word_named) {
  NamedInjection injection;
  std::optional<std::string_view> rest = item;
  std::string_view part;
  const auto next = [&] {
    const Cut parts = cut(rest.value_or(""), ':');
    rest = parts.tail;
    part = parts.head;
    return part;
  };
  const auto wrong = [&](std::string_view allowed) {
    return Failure{
        ArgumentError{item, part.empty() ? "a part is missing" : part, TextLine{allowed}}};
  };

  injection.name = next();
  if (!is_process_name(part)) return wrong("PROCESS:PE:RUN:TARGET:BIT[:start|end|at=N]");
  if (!read_number(next(), 1, ~std::uint64_t{0}, injection.element))
    return wrong("PE: a number from 1");
  if (!read_number(next(), 1, 2, injection.run)) return wrong("RUN: 1 or 2");
  if (!read_target(injection, next(), word_named))
    return wrong(
        "TARGET: REGISTER, page.K.W, unmodified.K.W, snapshot.REGISTER or snapshot.page.K.W"
        " (K 0 to 65535, W 0 to 511)");
  const bool few_bits = part.ends_with("rflags") && !is_guest_name(injection.name);
  const std::uint64_t bits = few_bits ? REPRISE_USER_FLAGS : ~std::uint64_t{0};
  if (!read_number(next(), 0, 63, injection.bit) || (bits >> injection.bit & 1) == 0)
    return wrong("BIT: 0 to 63; of rflags 0 2 4 6 7 8 10 11 14 18 21, which ring 3 can set");
  injection.moment = injection.target == Injection::Target::Register ? Injection::Moment::Start
                                                                     : Injection::Moment::End;
  if (rest) {
    part = *rest;
    if (!read_moment(injection, part)) return wrong("start, end or at=N with N from 1");
  }
  return injection;
}

}  // namespace reprise
