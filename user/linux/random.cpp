#include "user/linux/random.hpp"

#include <bit>

#include "user/linux/calls.hpp"
#include "user/linux/errno.hpp"

namespace personality {

namespace {

// RFC 8439, section 2.3. Words 0-3 constants, 4-11 key, 12-13 block counter, 14-15 nonce.
struct Generator {
  std::uint32_t state[16];
  bool keyed;
};
constinit Generator generator{};

void quarter_round(std::uint32_t* x, int a, int b, int c, int d) {
  x[a] += x[b];
  x[d] = std::rotl(x[d] ^ x[a], 16);
  x[c] += x[d];
  x[b] = std::rotl(x[b] ^ x[c], 12);
  x[a] += x[b];
  x[d] = std::rotl(x[d] ^ x[a], 8);
  x[c] += x[d];
  x[b] = std::rotl(x[b] ^ x[c], 7);
}

void key_generator() {
  constexpr std::uint32_t constants[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
  for (int i = 0; i < 4; ++i) generator.state[i] = constants[i];
  // Bit 63 of each reading is always 0, so a second reading is mixed in, shifted by one bit.
  for (int i = 0; i < 4; ++i) {
    const std::uint64_t value = native::entropy() ^ native::entropy() << 1;
    generator.state[4 + 2 * i] = static_cast<std::uint32_t>(value);
    generator.state[5 + 2 * i] = static_cast<std::uint32_t>(value >> 32);
  }
  generator.keyed = true;
}

void next_block(std::uint32_t (&block)[16]) {
  if (!generator.keyed) key_generator();
  for (int i = 0; i < 16; ++i) block[i] = generator.state[i];
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 4; ++i) quarter_round(block, i, 4 + i, 8 + i, 12 + i);
    for (int i = 0; i < 4; ++i) {
      quarter_round(block, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
    }
  }
  for (int i = 0; i < 16; ++i) block[i] += generator.state[i];
  ++generator.state[12];
  if (generator.state[12] == 0) ++generator.state[13];
}

}  // namespace

bool fill_random(UserAddress to, std::uint64_t bytes) {
  std::uint32_t block[16];
  for (std::uint64_t done = 0; done < bytes;) {
    next_block(block);
    const std::uint64_t part = bytes - done < sizeof block ? bytes - done : sizeof block;
    if (!copy_out(to + done, block, part)) return false;
    done += part;
  }
  return true;
}

Value call_getrandom(Call& call) {
  constexpr std::uint64_t known_flags = 7, limit = 0x1ffffff;
  if ((call.argument[2] & ~known_flags) != 0) return fail(Errno::Invalid);
  const std::uint64_t bytes = call.argument[1] < limit ? call.argument[1] : limit;
  return fill_random(call.user(0), bytes) ? static_cast<Value>(bytes) : fail(Errno::Fault);
}

}  // namespace personality
