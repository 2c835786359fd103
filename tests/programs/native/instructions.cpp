// instructions KIND [ROUNDS]: computes with one kind of instructions for a while and prints a
// digest that depends on each result. It makes no system call for long stretches, so the time limit
// cuts them.
#include <array>
#include <cstddef>

#include "user/lib/calls.hpp"
#include "user/lib/checks.hpp"
#include "user/lib/instructions.hpp"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"

extern "C" {
// Each takes a work area of a page and a number of rounds, and returns a digest.
std::uint64_t branch_rounds(void* area, std::uint64_t rounds);
std::uint64_t sse_rounds(void* area, std::uint64_t rounds);
std::uint64_t avx_rounds(void* area, std::uint64_t rounds);
std::uint64_t divide_rounds(void* area, std::uint64_t rounds);
std::uint64_t lock_rounds(void* area, std::uint64_t rounds);
std::uint64_t flag_rounds(void* area, std::uint64_t rounds);
std::uint64_t pause_rounds(void* area, std::uint64_t rounds);

// Repeated string instructions (strings.asm), `string_form_count` of them.
struct StringRegisters {
  std::uint64_t rdi, rsi, rcx, rax, rflags;
};
extern void (*const string_forms[])();
extern const std::uint64_t string_form_count;
void run_string_form(void (*form)(), StringRegisters& registers, std::uint64_t backwards);
}

namespace {

constexpr std::uint64_t page = REPRISE_PAGE_SIZE;
constexpr unsigned read_write = REPRISE_PROTECT_READ | REPRISE_PROTECT_WRITE;

alignas(page) constinit std::array<std::uint64_t, page / 8> area{};

class Digest {
public:
  void add(std::uint64_t word) { value_ = (value_ ^ word ^ value_ >> 29) * 0x9e3779b97f4a7c15; }
  [[nodiscard]] std::uint64_t value() const { return value_; }

private:
  std::uint64_t value_ = 0xcbf29ce484222325;
};

class Chance {
public:
  std::uint64_t below(std::uint64_t end) {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_ % end;
  }

private:
  std::uint64_t state_ = 0x2545f4914f6cdd1d;
};

bool has_avx() {
  constexpr std::uint32_t osxsave_and_avx = 1u << 27 | 1u << 28;  // CPUID 1 ECX
  return (user::cpuid(1).ecx & osxsave_and_avx) == osxsave_and_avx &&
         (user::enabled_state() & 6) == 6;
}

std::uint64_t vectors(std::uint64_t rounds) {
  Digest digest;
  digest.add(sse_rounds(area.data(), rounds));
  if (has_avx()) digest.add(avx_rounds(area.data(), rounds));
  return digest.value();
}

// Three areas, each as large as the longest string of the widest words.
constexpr std::uint64_t longest = 10'000;
using Text = std::array<std::uint64_t, longest>;
alignas(page) constinit Text here{}, there{}, target{};

// One string instruction of `count` elements over `from` and `to`. Forms of one kind follow each
// other by width: bytes, words, double words, quad words.
void run_form(Digest& digest, std::uint64_t form, std::uint64_t count, bool backwards, Text& from,
              Text& to, std::uint64_t value) {
  const std::uint64_t width = 1ull << form % 4;
  const std::uint64_t offset = backwards && count != 0 ? (count - 1) * width : 0;
  StringRegisters registers{reinterpret_cast<std::uint64_t>(to.data()) + offset,
                            reinterpret_cast<std::uint64_t>(from.data()) + offset, count, value, 0};
  run_string_form(string_forms[form], registers, backwards ? 1 : 0);
  digest.add(registers.rdi);
  digest.add(registers.rsi);
  digest.add(registers.rcx);
  digest.add(registers.rax);
  digest.add(registers.rflags);
}

// All forms, both directions. The strings that are compared are alike, or different, but for one
// place.
void run_forms(Digest& digest, Chance& chance, Text& from, Text& to, std::uint64_t value) {
  for (std::uint64_t form = 0; form < string_form_count; ++form) {
    const bool writes = form < 8 || form >= 28;  // MOVS, STOS; and those with 32-bit addresses
    Text& end = writes ? target : to;
    for (std::uint64_t turn = 0; turn < 6; ++turn) {
      const std::uint64_t count = turn < 4 ? turn : 4 + chance.below(200);
      const std::uint64_t odd_one = chance.below(250);
      const std::uint64_t kept = to[odd_one];
      to[odd_one] = from[odd_one] != kept ? from[odd_one] : ~kept;
      run_form(digest, form, count, (turn & 1) != 0, from, end, value + (writes ? turn : 0));
      to[odd_one] = kept;
    }
  }
}

std::uint64_t strings(std::uint64_t rounds) {
  Digest digest;
  Chance chance;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    const bool backwards = (round & 1) != 0;
    // The same everywhere: REPE goes on, REPNE ends at once.
    run_forms(digest, chance, here, there, here[0]);
    for (const std::uint64_t form : {8u, 12u, 20u}) {  // LODS, REPE CMPS, REPE SCAS
      run_form(digest, form + (round + form / 8) % 4, longest, backwards, here, there, here[0]);
    }
    // Different everywhere: REPNE goes on.
    const std::uint64_t other = 0x5a5a5a5a5a5a5a5a + round * 0x0101010101010101;
    run_form(digest, 4 + 3, longest, backwards, here, here, other);  // STOSQ
    run_forms(digest, chance, here, there, 0x7777777777777777);
    for (const std::uint64_t form : {16u, 24u}) {  // REPNE CMPS, REPNE SCAS
      run_form(digest, form + round % 4, longest, !backwards, here, there, 0x7777777777777777);
    }
    run_form(digest, round % 4, longest, !backwards, here, target, 0);  // MOVS
    run_form(digest, 3, longest, backwards, there, here, 0);            // alike again
    for (std::size_t i = 0; i < longest; i += 61) digest.add(target[i]);
  }
  return digest.value();
}

// Pages that are read first, written first, or written across their border.
std::uint64_t touch(std::uint64_t rounds) {
  constexpr std::uint64_t pages = 96;
  const std::uint64_t address = user::start_information().map_low;
  Digest digest;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    REPRISE_CHECK(user::map(address, pages * page, read_write, REPRISE_MAP_REPLACE) == 0);
    auto* const memory = reinterpret_cast<volatile char*>(address);
    for (std::uint64_t i = 0; i < pages; i += 3) {
      digest.add(static_cast<std::uint64_t>(memory[i * page]));
      memory[(i + 1) * page - 1] = static_cast<char>(i + round);
      *reinterpret_cast<volatile std::uint64_t*>(address + (i + 2) * page - 3) = digest.value();
      memory[i * page] = static_cast<char>(memory[(i + 2) * page + 1] + 1);
    }
    for (std::uint64_t i = 0; i < pages * page; i += 1001) {
      digest.add(static_cast<std::uint64_t>(memory[i]));
    }
  }
  return digest.value();
}

// Writes functions of many different ADD EAX, imm32 instructions, makes them executable, calls
// them.
std::uint64_t write_code(std::uint64_t rounds) {
  constexpr std::uint64_t additions = 800;
  const std::uint64_t address = user::start_information().map_low;
  Digest digest;
  Chance chance;
  REPRISE_CHECK(user::map(address, page, read_write) == 0);
  for (std::uint64_t round = 0; round < rounds; ++round) {
    REPRISE_CHECK(user::protect(address, page, read_write) == 0);
    auto* code = reinterpret_cast<volatile std::uint8_t*>(address);
    *code++ = 0x31;  // XOR EAX, EAX
    *code++ = 0xc0;
    for (std::uint64_t i = 0; i < additions; ++i) {
      const std::uint64_t number = chance.below(1ull << 32);
      *code++ = 0x05;
      for (int shift = 0; shift < 32; shift += 8) {
        *code++ = static_cast<std::uint8_t>(number >> shift);
      }
    }
    *code = 0xc3;  // RET
    REPRISE_CHECK(user::protect(address, page, REPRISE_PROTECT_READ | REPRISE_PROTECT_EXECUTE) ==
                  0);
    for (std::uint64_t call = 0; call < 20; ++call) {
      digest.add(reinterpret_cast<std::uint32_t (*)()>(address)() + call);
    }
  }
  return digest.value();
}

template <std::uint64_t (*Function)(void*, std::uint64_t)>
std::uint64_t in_area(std::uint64_t rounds) {
  return Function(area.data(), rounds);
}

struct Kind {
  std::string_view name;
  std::uint64_t (*run)(std::uint64_t rounds);
  std::uint64_t rounds;  // makes some 300,000 instructions
};
constexpr std::array kinds{Kind{"branches", in_area<branch_rounds>, 4000},
                           Kind{"vectors", vectors, 4000},
                           Kind{"divide", in_area<divide_rounds>, 10'000},
                           Kind{"lock", in_area<lock_rounds>, 12'000},
                           Kind{"strings", strings, 3},
                           Kind{"flags", in_area<flag_rounds>, 9000},
                           Kind{"touch", touch, 60},
                           Kind{"code", write_code, 5},
                           Kind{"pause", in_area<pause_rounds>, 20'000}};

}  // namespace

int main(int argc, char** argv) {
  const std::string_view wanted = user::text_argument(argc, argv, 1);
  for (const Kind& kind : kinds) {
    if (kind.name != wanted) continue;
    const std::uint64_t rounds = user::number_argument(argc, argv, 2, kind.rounds);
    const std::uint64_t digest = kind.run(rounds);
    user::print("instructions: ", wanted, " rounds=", rounds, " digest=", user::Hex{digest}, "\n");
    return 0;
  }
  user::print("instructions: no kind ", wanted, "; kinds are");
  for (const Kind& kind : kinds) user::print(" ", kind.name);
  user::print("\n");
  return 2;
}
