// devices WHAT [N]: drives the devices that it was granted. The event timer is that at FED00000h
// (IA-PC HPET Specification 1.0a).
//   ports      numbers to port 80h, and the second UART's scratch register at 2FFh, by every form
//              of IN, OUT, INS and OUTS
//   hpet       the event timer, by every form of access that compilers emit for volatile memory
//   moving     what differs at each reading: the 8254's counter at port 40h, or with
//              `moving memory` the event timer's
//   ends       string instructions that read port 1200h and the event timer's first 64 words to the
//              very ends of memory
//   straddle   writes across the edge between ordinary memory and the event timer's
//   wide       OUT to port 80h that is four bytes wide whatever its prefixes say
//   far        writes to device memory behind all that the processor has
//   interrupt  waits for N interrupts of the event timer on line 16
#include <array>
#include <cstdint>
#include <cstring>

#include "user/lib/calls.hpp"
#include "user/lib/checks.hpp"
#include "user/lib/instructions.hpp"
#include "user/lib/ipc.hpp"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"

namespace {

constexpr std::uint16_t debug_port = 0x80, scratch_port = 0x2ff;  // scratch: of the second UART

void use_ports(std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) user::out8(debug_port, static_cast<std::uint8_t>(i));
  asm volatile("outw %0, %1" : : "a"(std::uint16_t{0x1234}), "Nd"(debug_port));
  asm volatile("outl %0, %1" : : "a"(0x89abcdefu), "d"(debug_port));
  std::array<std::uint32_t, 300> words;
  for (std::uint32_t i = 0; i < words.size(); ++i) words[i] = 0x01010101u * (i & 0xff);
  const void* next = words.data();
  std::size_t left = words.size();
  asm volatile("rep outsl" : "+S"(next), "+c"(left) : "d"(debug_port) : "memory");
  REPRISE_CHECK(left == 0 && next == words.data() + words.size());
  next = &words[1];
  asm volatile("outsb" : "+S"(next) : "d"(debug_port) : "memory");

  // The scratch register keeps what is written to it.
  for (unsigned value : {0x5au, 0xa5u}) {
    user::out8(scratch_port, static_cast<std::uint8_t>(value));
    REPRISE_CHECK(user::in8(scratch_port) == value);
    std::array<std::uint8_t, 600> bytes{};
    void* to = bytes.data();
    left = bytes.size();
    asm volatile("rep insb" : "+D"(to), "+c"(left) : "d"(scratch_port) : "memory");
    for (const std::uint8_t byte : bytes) REPRISE_CHECK(byte == value);
    to = &bytes[7];
    bytes[7] = 0;
    asm volatile("std; insb; cld" : "+D"(to) : "d"(scratch_port) : "memory");
    REPRISE_CHECK(bytes[7] == value && to == &bytes[6]);
  }
  user::print("ports: done\n");
}

// The HPET's registers, by byte offset.
constexpr std::uint64_t hpet = 0xfed00000, place = 0x200000000;
template <class T>
volatile T& at(unsigned offset) {
  return *reinterpret_cast<volatile T*>(place + offset);
}
constexpr unsigned capabilities = 0, configuration = 0x10, status = 0x20, main_counter = 0xf0,
                   timer0 = 0x100, comparator0 = 0x108;

void map_hpet() { REPRISE_CHECK(user::raw_call(REPRISE_MAP_DEVICE, place, 4096, hpet) == 0); }

// The counter stands while the timer is off, and keeps what is written to it.
void use_memory(std::uint64_t count) {
  map_hpet();
  const std::uint64_t facts = at<std::uint64_t>(capabilities);
  REPRISE_CHECK(at<std::uint32_t>(capabilities) == static_cast<std::uint32_t>(facts));
  REPRISE_CHECK(at<std::uint32_t>(capabilities + 4) == facts >> 32);
  at<std::uint64_t>(configuration) = 0;
  for (std::uint64_t i = 0; i < count; ++i)
    at<std::uint32_t>(main_counter) = static_cast<std::uint32_t>(i);
  REPRISE_CHECK(at<std::uint32_t>(main_counter) == static_cast<std::uint32_t>(count - 1));
  at<std::uint64_t>(main_counter) = 0x1122334455667788;
  REPRISE_CHECK(at<std::uint64_t>(main_counter) == 0x1122334455667788);

  // Read, change and write in one instruction; with immediates; with flags.
  asm volatile("addl $8, %0" : "+m"(at<std::uint32_t>(main_counter)));
  asm volatile("orl %1, %0" : "+m"(at<std::uint32_t>(main_counter)) : "r"(7u));
  asm volatile("incl %0" : "+m"(at<std::uint32_t>(main_counter)));
  REPRISE_CHECK(at<std::uint32_t>(main_counter) == 0x55667798);
  bool equal = false;
  asm volatile("cmpl $0x55667798, %1" : "=@cce"(equal) : "m"(at<std::uint32_t>(main_counter)));
  REPRISE_CHECK(equal);
  asm volatile("testl $0x8, %1" : "=@ccz"(equal) : "m"(at<std::uint32_t>(main_counter)));
  REPRISE_CHECK(!equal);
  std::uint32_t value = 99;
  asm volatile("xchgl %1, %0" : "+m"(at<std::uint32_t>(main_counter)), "+r"(value));
  REPRISE_CHECK(value == 0x55667798 && at<std::uint32_t>(main_counter) == 99);
  asm volatile("lock xaddl %1, %0" : "+m"(at<std::uint32_t>(main_counter)), "+r"(value));
  REPRISE_CHECK(value == 99 && at<std::uint32_t>(main_counter) == 0x55667798 + 99);
  at<std::uint32_t>(main_counter) = 0xfffffff0;

  // With extension, into vector registers and from them, onto the stack, by string instructions.
  std::int64_t wide = 0;
  asm volatile("movslq %1, %0" : "=r"(wide) : "m"(at<std::uint32_t>(main_counter)));
  REPRISE_CHECK(wide == -16);
  float vector = 0;
  asm volatile("movss %1, %%xmm1; movss %%xmm1, %0"
               : "=m"(vector)
               : "m"(at<float>(main_counter))
               : "xmm1");
  REPRISE_CHECK(__builtin_bit_cast(std::uint32_t, vector) == 0xfffffff0);
  vector = 1.5F;
  asm volatile("movss %1, %%xmm1; movss %%xmm1, %0"
               : "=m"(at<float>(main_counter))
               : "m"(vector)
               : "xmm1");
  REPRISE_CHECK(at<std::uint32_t>(main_counter) == 0x3fc00000);
  std::uint64_t pushed = 0;
  at<std::uint64_t>(main_counter) = 0x1234567890;
  asm volatile("sub $128, %%rsp; pushq %1; popq %0; add $128, %%rsp"
               : "=r"(pushed)
               : "m"(at<std::uint64_t>(main_counter)));
  REPRISE_CHECK(pushed == 0x1234567890);
  std::array<std::uint32_t, 2> copy{};
  const volatile void* from = &at<std::uint32_t>(main_counter);
  void* to = copy.data();
  std::size_t left = copy.size();
  asm volatile("rep movsl" : "+S"(from), "+D"(to), "+c"(left) : : "memory");
  REPRISE_CHECK(copy[0] == 0x34567890 && copy[1] == 0x12 && left == 0);
  from = copy.data();
  volatile void* device = &at<std::uint32_t>(main_counter);
  copy[0] = 4711;
  asm volatile("movsl" : "+S"(from), "+D"(device) : : "memory");
  REPRISE_CHECK(at<std::uint32_t>(main_counter) == 4711);
  user::print("hpet: done\n");
}

// Stores what it reads in memory, so that a difference between two runs shows.
std::array<std::uint64_t, 64> seen{};

void read_moving(bool memory) {
  if (memory) {
    map_hpet();
    at<std::uint64_t>(configuration) = 1;
  }
  for (std::uint64_t& value : seen)
    value = memory ? at<std::uint64_t>(main_counter) : user::in8(0x40);
  unsigned changes = 0;
  for (std::size_t i = 1; i < seen.size(); ++i) changes += seen[i] != seen[i - 1] ? 1 : 0;
  REPRISE_CHECK(changes > seen.size() / 2);
  user::print("moving: done\n");
}

std::uint64_t map_fresh(std::uint64_t pages) {
  static std::uint64_t next = place + 0x1000000;
  const std::uint64_t start = next, bytes = pages * REPRISE_PAGE_SIZE;
  REPRISE_CHECK(user::map(start, bytes, REPRISE_PROTECT_READ | REPRISE_PROTECT_WRITE) == 0);
  next += bytes + REPRISE_PAGE_SIZE;  // nothing is mapped between one and the next
  return start;
}

constexpr std::uint64_t copied = 256;  // bytes, up to behind the counter

void copy_timer(std::uint64_t to, bool down) {
  const std::uint64_t back = down ? copied - sizeof(std::uint32_t) : 0;
  std::uint64_t from = place + back, next = to + back, left = copied / sizeof(std::uint32_t);
  if (down) {
    asm volatile("std; rep movsl; cld" : "+S"(from), "+D"(next), "+c"(left) : : "memory");
  } else {
    asm volatile("rep movsl" : "+S"(from), "+D"(next), "+c"(left) : : "memory");
  }
  std::uint32_t counter = 0;
  std::memcpy(&counter, reinterpret_cast<const void*>(to + main_counter), sizeof counter);
  REPRISE_CHECK(left == 0 && counter == 4711);
}

// Each reads into memory that was not written before, with nothing mapped behind or before it.
void read_to_the_ends() {
  constexpr std::uint16_t port = 0x1200;  // nobody is there: all ones
  constexpr std::uint64_t page = REPRISE_PAGE_SIZE;
  const std::uint64_t start = map_fresh(1);
  std::uint64_t next = start, left = page;
  asm volatile("rep insb" : "+D"(next), "+c"(left) : "d"(port) : "memory");
  REPRISE_CHECK(left == 0 && next == start + page);
  REPRISE_CHECK(*reinterpret_cast<const std::uint64_t*>(next - 8) == ~std::uint64_t{0});
  next = map_fresh(1) + page - 2;
  asm volatile("insw" : "+D"(next) : "d"(port) : "memory");
  REPRISE_CHECK(*reinterpret_cast<const std::uint32_t*>(next - 4) == 0xffff0000);
  next = map_fresh(1) + page - 4;
  asm volatile("insl" : "+D"(next) : "d"(port) : "memory");
  REPRISE_CHECK(*reinterpret_cast<const std::uint64_t*>(next - 8) == 0xffffffff00000000);

  map_hpet();
  at<std::uint64_t>(configuration) = 0;
  at<std::uint64_t>(main_counter) = 4711;
  for (const bool down : {false, true}) {
    copy_timer(map_fresh(1), down);
    copy_timer(map_fresh(1) + page - copied, down);
    for (const std::uint64_t before : {copied / 2, copied / 2 + 2})  // a word, or none, in both
      copy_timer(map_fresh(2) + page - before, down);
  }
  user::print("ends: done\n");
}

// An access that also reaches into the ordinary page before the device must not lose what it writes
// there. That page is in the page set by then.
void straddle(std::uint64_t count) {
  constexpr std::uint64_t page = REPRISE_PAGE_SIZE;
  REPRISE_CHECK(user::raw_call(REPRISE_MAP, place - page, page,
                               REPRISE_PROTECT_READ | REPRISE_PROTECT_WRITE, 0) == 0);
  map_hpet();
  auto* const edge = reinterpret_cast<volatile std::uint32_t*>(place - sizeof(std::uint32_t));
  for (std::uint32_t i = 1; i <= count; ++i) {
    *edge = 0;
    user::raw_call(REPRISE_YIELD);
    *reinterpret_cast<volatile std::uint64_t*>(place - sizeof(std::uint32_t)) = i;
    REPRISE_CHECK(*edge == i);
  }
  user::print("straddle: done\n");
}

// REX.W has precedence over the operand-size prefix: four bytes, of which two are not granted.
void use_wide_port() {
  asm volatile(".byte 0x66, 0x48, 0xef" : : "a"(0u), "d"(std::uint16_t{0x80}));
  user::print("wide: done\n");
}

// Behind the last address that the emulated processor has.
void write_far() {
  const std::uint64_t word = 0;
  const auto from = reinterpret_cast<std::uint64_t>(&word);
  const std::int64_t result = user::raw_call(REPRISE_DEVICE_WRITE, 1ul << 41, from, sizeof word);
  user::print("far: ", result == 0, "\n");
}

// Level triggered, on input 16 of the I/O APIC, `count` times, some milliseconds apart.
void use_interrupts(std::uint64_t count) {
  map_hpet();
  constexpr std::uint64_t level = 2, enabled = 4, route_16 = 16 << 9;
  constexpr std::uint64_t femtoseconds = 1'000'000'000'000;  // in a millisecond
  const std::uint64_t period = at<std::uint64_t>(capabilities) >> 32;
  at<std::uint64_t>(configuration) = 0;
  at<std::uint64_t>(main_counter) = 0;
  at<std::uint64_t>(timer0) = level | enabled | route_16;
  at<std::uint64_t>(status) = 1;
  at<std::uint64_t>(comparator0) = femtoseconds / period;
  at<std::uint64_t>(configuration) = 1;
  for (std::uint64_t i = 1; i <= count; ++i) {
    const user::Received note = user::receive(0, {}, {});
    REPRISE_CHECK(note.sender == 0 && note.words[0] == 1u << 16);
    REPRISE_CHECK(at<std::uint64_t>(main_counter) >= i * (femtoseconds / period));
    // From now, and not too soon: a time that others' turns let pass comes again in minutes.
    at<std::uint64_t>(comparator0) = at<std::uint64_t>(main_counter) + 5 * (femtoseconds / period);
    at<std::uint64_t>(status) = 1;  // the line falls
  }
  at<std::uint64_t>(timer0) = 0;
  user::print("interrupts: ", count, "\n");
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = user::text_argument(argc, argv, 1);
  const std::uint64_t count = what == "moving" ? 0 : user::number_argument(argc, argv, 2, 10);
  if (what == "ports") use_ports(count);
  if (what == "hpet") use_memory(count);
  if (what == "moving") read_moving(user::text_argument(argc, argv, 2) == "memory");
  if (what == "ends") read_to_the_ends();
  if (what == "straddle") straddle(count);
  if (what == "wide") use_wide_port();
  if (what == "far") write_far();
  if (what == "interrupt") use_interrupts(count);
  return 0;
}
