// guestfuzz [ROUNDS [SEED]]: a hostile guest. Each round its processor begins with random code, in
// some rounds in a random state, and what stops it is answered at random. The machine and this
// program must get through all of it; nothing is expected of the guest. Needs
// grant=guestfuzz:guest.
#include <array>
#include <cstring>

#include "kernel/abi/guest.h"
#include "user/lib/calls.hpp"
#include "user/lib/ipc.hpp"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"
#include "user/programs/streams/random.hpp"

namespace {

constexpr std::uint64_t memory_bytes = 1 << 20, code_at = 0x1000, round_time = 200'000;
constexpr unsigned most_stops = 64;  // of a round

std::uint64_t guest_call(std::uint64_t number, std::uint64_t guest, std::uint64_t a,
                         std::uint64_t b = 0, std::uint64_t c = 0) {
  return static_cast<std::uint64_t>(user::raw_call(number, guest, a, b, c));
}
template <class T>
std::uint64_t address_of(const T& object) {
  return reinterpret_cast<std::uint64_t>(&object);
}

// 0: there is none.
std::uint64_t new_guest() {
  user::Words words{REPRISE_NEW_GUEST, memory_bytes, 0};
  if (user::send(REPRISE_INIT, words, {}) < 0 || words[0] == 0) return 0;
  return guest_call(REPRISE_GUEST_MAP, words[0], 0, memory_bytes) == 0 ? words[0] : 0;
}

// Flat segments, 32-bit protected mode, no paging.
reprise_guest_state flat_state(std::uint64_t guest) {
  constexpr std::uint16_t code = 0xc9b, data = 0xc93, local = 0x82, task = 0x8b;
  reprise_guest_state state{};
  static_cast<void>(guest_call(REPRISE_GUEST_STATE, guest, address_of(state)));
  state.rip = code_at;
  state.rsp = code_at + memory_bytes / 2;
  state.rflags = 2;
  state.cs = {8, code, 0xffffffff, 0};
  for (reprise_guest_segment* s : {&state.ss, &state.ds, &state.es, &state.fs, &state.gs}) {
    *s = {16, data, 0xffffffff, 0};
  }
  state.ldtr = {0, local, 0, 0};
  state.tr = {0, task, 0xffff, 0};
  state.cr0 = 0x31;  // NE, ET, PE
  state.cr3 = state.cr4 = state.efer = state.cpl = 0;
  state.event = state.window = state.shadow = 0;
  return state;
}

// Some bits of some words are others.
void spoil(reprise_guest_state& state, Random& random) {
  std::array<std::uint64_t, sizeof state / 8> words{};
  std::memcpy(words.data(), &state, sizeof state);
  for (std::uint64_t i = random.below(6); i != 0; --i) {
    words[random.below(words.size())] ^= 1ull << random.below(64);
  }
  std::memcpy(&state, words.data(), sizeof state);
}

// Beginnings of what a hypervisor has to look at; the rest is as it comes.
void write_code(std::uint64_t guest, Random& random) {
  constexpr std::array<std::array<std::uint8_t, 3>, 24> starts{{
      {0x0f, 0xa2, 0x90}, {0x0f, 0x31, 0x90}, {0x0f, 0x30, 0x90}, {0x0f, 0x32, 0x90},
      {0xe6, 0x80, 0x90}, {0xec, 0x90, 0x90}, {0x6c, 0x90, 0x90}, {0xf3, 0x6e, 0x90},
      {0xf4, 0x90, 0x90}, {0xfb, 0x90, 0x90}, {0x9c, 0x9d, 0x90}, {0xcd, 0x21, 0xcc},
      {0x0f, 0x01, 0xd8}, {0x0f, 0x01, 0xd9}, {0x0f, 0x01, 0xdd}, {0x0f, 0x01, 0xd1},
      {0x0f, 0x22, 0xc0}, {0x0f, 0x22, 0xe0}, {0x0f, 0x22, 0xd8}, {0x0f, 0x23, 0xf8},
      {0x0f, 0x21, 0xf0}, {0xf3, 0xa4, 0x90}, {0xcf, 0x90, 0x90}, {0x0f, 0x0b, 0x90},
  }};
  std::array<std::uint8_t, REPRISE_PAGE_SIZE> code{};
  for (std::size_t i = 0; i + 3 <= code.size(); i += 3) {
    const auto& start = starts[random.below(starts.size())];
    for (std::size_t k = 0; k < start.size(); ++k) {
      const auto any = static_cast<std::uint8_t>(random.below(256));
      code[i + k] = random.below(4) != 0 ? start[k] : any;
    }
  }
  static_cast<void>(guest_call(REPRISE_GUEST_WRITE, guest, code_at, address_of(code), code.size()));
}

bool is_over(std::uint64_t reason) {
  return reason >= REPRISE_GUEST_INVALID && reason <= REPRISE_GUEST_ENDED;
}

struct Counts {
  std::uint64_t stops = 0, refused = 0, guests = 1;
  std::array<std::uint64_t, REPRISE_GUEST_REGISTER + 1> by_reason{};
};

// Answers at random until the round's time is over. False: the guest is gone.
bool run_round(std::uint64_t guest, Random& random, Counts& counts) {
  static reprise_guest_run run{};
  run = {};
  for (unsigned i = 0; i < most_stops; ++i) {
    run.deadline = run.time + round_time;
    const std::uint64_t error = guest_call(REPRISE_GUEST_RUN, guest, address_of(run));
    if (error != 0) {
      ++counts.refused;
      run.event = 0;
      if (error == -std::uint64_t{REPRISE_GONE}) return false;
      continue;
    }
    ++counts.stops;
    if (run.reason < counts.by_reason.size()) ++counts.by_reason[run.reason];
    const bool round_is_over = is_over(run.reason) || run.reason == REPRISE_GUEST_TIME ||
                               run.reason == REPRISE_GUEST_SHUTDOWN ||
                               (run.reason == REPRISE_GUEST_MEMORY && random.below(4) != 0);
    if (round_is_over) return run.reason < REPRISE_GUEST_MEMORY_GONE;
    run.done = random.below(8) != 0 ? 1 : 0;
    run.rax = random.next();
    run.window = random.below(2);
    run.event = random.below(4) == 0 ? random.next() : 0;
    run.skip = random.below(1000);
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t rounds = user::number_argument(argc, argv, 1, 200);
  const std::uint64_t seed = user::number_argument(argc, argv, 2, 1);
  Random random{seed};
  Counts counts;
  std::uint64_t guest = new_guest();
  if (guest == 0) {
    user::print("guestfuzz: no guest: give grant=guestfuzz:guest, and a CPU with SVM\n");
    return 1;
  }
  for (std::uint64_t round = 0; round < rounds; ++round) {
    write_code(guest, random);
    reprise_guest_state state = flat_state(guest);
    if (random.below(2) == 0) spoil(state, random);
    static_cast<void>(guest_call(REPRISE_GUEST_SET_STATE, guest, address_of(state)));
    if (run_round(guest, random, counts)) continue;
    guest = new_guest();
    if (guest == 0) break;
    ++counts.guests;
  }
  user::print("guestfuzz: seed ", seed, ", ", rounds, " rounds, ", counts.stops, " stops, ",
              counts.refused, " answers refused, ", counts.guests, " guests\n");
  user::print("guestfuzz: stops by reason:");
  for (const std::uint64_t count : counts.by_reason) user::print(" ", count);
  user::print("\nguestfuzz: through\n");
  return 0;
}
