#include "user/init/flips.hpp"

#include <array>

#include "kernel/abi/reprise.h"
#include "user/init/event_line.hpp"
#include "user/init/kernel.hpp"
#include "user/init/words.hpp"

namespace reprise {
namespace {

using Moment = Injection::Moment;
using Target = Injection::Target;

constexpr std::size_t general_words_hit = 18;  // general registers, RIP, RFLAGS
constexpr std::size_t flags_word = 17;
constexpr std::size_t vector_words_hit = 32;  // XMM0 to XMM15

// The fates that end a flip; the kernel reports no other.
using FateWord = ChoiceWord<FlipFate>;
constexpr std::array<FateWord, 4> fate_words{
    FateWord{.word = "died-out", .value = FlipFate::DiedOut},
    FateWord{.word = "caught", .value = FlipFate::Caught},
    FateWord{.word = "stopped", .value = FlipFate::Stopped},
    FateWord{.word = "no-target", .value = FlipFate::NoTarget},
};
using MomentWord = ChoiceWord<Moment>;
constexpr std::array<MomentWord, 3> moment_words{
    MomentWord{.word = "start", .value = Moment::Start},
    MomentWord{.word = "end", .value = Moment::End},
    MomentWord{.word = "at", .value = Moment::Offset},
};

}  // namespace

void RandomFlips::start(std::uint64_t seed, std::uint64_t rate) {
  state_ = seed * 0x9e3779b97f4a7c15ull + 0xd1b54a32d192ed03ull;
  rate_ = rate;
}

bool RandomFlips::plan(const FlipVictim& victim) { return rate_ == 0 || inject(draw(victim)); }

// xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators", 2016).
std::uint64_t RandomFlips::random() {
  state_ ^= state_ >> 12;
  state_ ^= state_ << 25;
  state_ ^= state_ >> 27;
  return state_ * 0x2545f4914f6cdd1dull;
}

// Half of the flips hit registers, the other half a page that the run has modified. Small offsets
// are as likely as large ones: most runs are short.
Injection RandomFlips::draw(const FlipVictim& victim) {
  Injection flip;
  flip.random = 1;
  flip.process = victim.process;
  flip.element = 1 + random() % (2 * victim.ahead * rate_ - 1);
  flip.run = 1 + (random() & 1);
  const bool page = (random() & 1) != 0;
  constexpr std::array moments{Moment::Start, Moment::End, Moment::Offset};
  flip.moment = moments[page ? 1 + random() % 2 : random() % 3];
  if (flip.moment == Moment::Offset) flip.offset = 1 + random() % (1ull << random() % 18);
  if (!page) {
    aim_at_register(flip, victim.guest);
    return flip;
  }
  flip.target = Target::Page;
  flip.page = random();
  flip.word = random() % words_per_page;
  flip.bit = random() % 64;
  return flip;
}

// A program's RFLAGS are hit only in the bits that ring 3 can set.
void RandomFlips::aim_at_register(Injection& flip, bool guest) {
  constexpr std::size_t program_words_hit = general_words_hit + vector_words_hit;
  flip.word = random() % (guest ? program_words_hit + named_guest_words : program_words_hit);
  const bool few_bits = flip.word == flags_word && !guest;
  const std::uint64_t bits = few_bits ? REPRISE_USER_FLAGS : ~std::uint64_t{0};
  if (flip.word >= program_words_hit) {
    flip.word += program_register_words - program_words_hit;
  } else if (flip.word >= general_words_hit) {
    flip.word += first_vector_word - general_words_hit;
  }
  do flip.bit = random() % 64;
  while ((bits >> flip.bit & 1) == 0);
}

void print_flip(std::string_view process, const Injection& flip, const WordNames& names) {
  TextLine target{flip.is_snapshot() ? "snapshot." : ""};
  if (flip.is_register()) {
    target.append(word_name(names, flip.word));
  } else {
    const bool unmodified = flip.target == Injection::Target::UnmodifiedPage;
    target.append(unmodified ? "unmodified." : "page.", flip.page, ".", flip.word);
  }
  print_event("flip", "process", process, "pe", flip.element, "run", flip.run, "moment",
              word_of(flip.moment, moment_words), "offset", flip.offset, "target", target, "bit",
              flip.bit, "outcome", word_of(flip.fate, fate_words));
}

}  // namespace reprise
