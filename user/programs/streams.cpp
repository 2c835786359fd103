// streams [COUNT [SEED [EVERY]]]: runs COUNT random streams of instructions, each from random
// registers, and prints a digest of all that they left behind: registers, flags, extended state,
// memory, exceptions. The same seed gives the same digest in every boot of a machine, also with
// injected flips. With EVERY the digest is also printed on the way, after so many streams each
// time, to find the first that differs. user/programs/streams/generator.hpp says what a stream is
// made of.
#include <array>
#include <cstddef>
#include <cstdint>

#include "user/lib/calls.hpp"
#include "user/lib/checks.hpp"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"
#include "user/programs/streams/generator.hpp"

namespace {

struct StreamState {          // run_stream.asm knows the layout
  std::uint64_t general[16];  // RAX RBX RCX RDX RSI RDI RBP RSP R8 to R15
  std::uint64_t flags, segments[4], bases[2], unused;
  alignas(64) std::uint64_t image[104];  // x87, SSE, header, AVX
};
static_assert(offsetof(StreamState, image) == 24 * 8);
constexpr std::size_t image_legacy = 64, image_end = 104;  // words

}  // namespace

extern "C" {
int run_stream(StreamState* state, std::uint64_t code);
void stream_end();
void stream_exception();
constinit std::uint8_t stream_features = 0;
}

namespace {

constexpr std::uint64_t code_pages = 0x10000000, stream_bytes = 4096, batch = 16;
constexpr unsigned readable = REPRISE_PROTECT_READ, writable = readable | REPRISE_PROTECT_WRITE,
                   executable = readable | REPRISE_PROTECT_EXECUTE;

constinit StreamState state{};
constinit reprise_frame frame{};

class Digest {
public:
  void add(std::uint64_t word) { value_ = (value_ ^ word ^ value_ >> 29) * 0x9e3779b97f4a7c15; }
  void add(const std::uint64_t* words, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) add(words[i]);
  }
  [[nodiscard]] std::uint64_t value() const { return value_; }

private:
  std::uint64_t value_ = 0xcbf29ce484222325;
};

std::uint64_t* arena_words() { return reinterpret_cast<std::uint64_t*>(arena); }

void make_arena(Random& random) {
  REPRISE_CHECK(user::map(arena, arena_seen, writable) == 0);
  for (std::size_t i = 0; i < arena_seen / 8; ++i) arena_words()[i] = random.next();
  REPRISE_CHECK(user::protect(arena + arena_bytes, arena_seen - arena_bytes, readable) == 0);
}

std::uint64_t random_word(Random& random) {
  static constexpr std::uint64_t special[] = {0,
                                              1,
                                              ~0ull,
                                              0x7fffffffffffffff,
                                              0x8000000000000000,
                                              0x7fffffff,
                                              0x3ff0000000000000,
                                              0x7ff0000000000000,
                                              0x7ff8000000000001,
                                              0x3f8000007f800000,
                                              0x0000000100000001};
  return random.once_in(3) ? random.of(special) : random.next();
}

void make_state(Random& random, const Cpu& cpu) {
  for (std::uint64_t& word : state.general) word = random_word(random);
  state.general[7] = arena_stack;
  state.general[14] = arena_r14;
  state.general[15] = arena_r15;
  state.flags = random.next() & 0x2408d5;  // CF PF AF ZF SF OF, AC, ID
  if (random.once_in(8)) state.flags |= 0x400;
  __builtin_memset(state.image, 0, sizeof state.image);
  auto* const bytes = reinterpret_cast<std::uint8_t*>(state.image);
  for (std::size_t i = 4; i < 52; ++i) state.image[i] = random_word(random);  // ST, XMM
  for (std::size_t i = 5; i < 20; i += 2) state.image[i] &= 0xffff;
  for (std::size_t i = 72; i < image_end; ++i) state.image[i] = random_word(random);  // YMM
  const std::uint64_t control = 0x37f ^ (random.next() & (random.once_in(16) ? 0xf3f : 0xf00));
  const std::uint64_t mxcsr = 0x1f80 ^ (random.next() & (random.once_in(16) ? 0xffff : 0xe07f));
  state.image[0] = control | random.below(8) << (16 + 11) | random.below(256) << 32;
  __builtin_memcpy(bytes + 24, &mxcsr, 4);
  state.image[64] =
      cpu.avx ? random.below(8) : random.below(4);  // which components are not initial
}

struct Counts {
  std::uint64_t run = 0, ended = 0;
  std::array<std::uint64_t, 32> exceptions{};
};

void run_one(Random& random, const Cpu& cpu, std::uint64_t code, Digest& digest, Counts& counts) {
  make_state(random, cpu);
  arena_words()[random.below(arena_bytes / 8)] = random.next();
  const int exception = run_stream(&state, code);
  if (exception != 0) {
    REPRISE_CHECK(user::raw_call(REPRISE_SET_HANDLER, REPRISE_HANDLER_EXCEPTION,
                                 reinterpret_cast<std::uint64_t>(stream_exception),
                                 reinterpret_cast<std::uint64_t>(&frame)) == 0);
    digest.add(&frame.rax, sizeof frame / 8);
    ++counts.exceptions[frame.vector & 31];
  } else {
    digest.add(state.general, 17);
    ++counts.ended;
  }
  digest.add(state.segments, 6);
  digest.add(state.image, cpu.xsave ? image_end : image_legacy);
}

// Makes many streams at a time, so that their pages change protection rarely: no page is writable
// and executable at once.
void run_batch(Random& random, const Cpu& cpu, std::uint64_t streams, std::uint64_t every,
               Digest& digest, Counts& counts) {
  REPRISE_CHECK(user::protect(code_pages, batch * stream_bytes, writable) == 0);
  for (std::uint64_t i = 0; i < streams; ++i) {
    auto* const begin = reinterpret_cast<std::uint8_t*>(code_pages + i * stream_bytes);
    Encoder encoder{begin, begin + stream_bytes};
    Generator{random, encoder, cpu}.stream(reinterpret_cast<std::uint64_t>(stream_end));
    REPRISE_CHECK(encoder.has_room(0));
  }
  REPRISE_CHECK(user::protect(code_pages, batch * stream_bytes, executable) == 0);
  for (std::uint64_t i = 0; i < streams; ++i) {
    run_one(random, cpu, code_pages + i * stream_bytes, digest, counts);
    if (++counts.run % every == 0) {
      user::print("streams: ", counts.run, " run, digest ", user::Hex{digest.value()}, "\n");
    }
  }
  digest.add(arena_words(), arena_bytes / 8);
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t count = user::number_argument(argc, argv, 1, 1000);
  const std::uint64_t seed = user::number_argument(argc, argv, 2, 1);
  const std::uint64_t every = user::number_argument(argc, argv, 3, ~0ull);
  const Cpu cpu = Cpu::here();
  stream_features = static_cast<std::uint8_t>((cpu.xsave ? 1 : 0) | (cpu.fsgsbase ? 2 : 0));
  Random random{seed};
  Digest digest;
  Counts counts;
  make_arena(random);
  REPRISE_CHECK(user::map(code_pages, batch * stream_bytes, writable) == 0);
  REPRISE_CHECK(user::raw_call(REPRISE_SET_HANDLER, REPRISE_HANDLER_EXCEPTION,
                               reinterpret_cast<std::uint64_t>(stream_exception),
                               reinterpret_cast<std::uint64_t>(&frame)) == 0);
  for (std::uint64_t done = 0; done < count; done += batch) {
    run_batch(random, cpu, count - done < batch ? count - done : batch, every, digest, counts);
  }
  for (std::size_t vector = 0; vector < counts.exceptions.size(); ++vector) {
    if (counts.exceptions[vector] == 0) continue;
    user::print("streams: exception ", vector, ": ", counts.exceptions[vector], "\n");
  }
  user::print("streams: seed ", seed, ": ", count, " streams, ", counts.ended,
              " to their end, digest ", user::Hex{digest.value()}, "\n");
  return 0;
}
