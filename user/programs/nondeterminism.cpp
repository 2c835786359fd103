// nondeterminism ROW: tries one source of difference between two runs (docs/fault-model.md) and
// prints what a program sees of it. It stores all readings in memory, so different values in two
// runs are a mismatch. A forbidden instruction has to fault each time, with the same vector.
//
//   time-stamp   RDTSC, RDTSCP, prefixes before them or none: never back, at a plausible rate
//   counters     RDPMC
//   tables       SGDT, SIDT, SLDT, SMSW, STR
//   cpuid        all leaves, again and again
//   constants    LSL, LAR, VERR, VERW, XGETBV with ECX = 1, XSAVE, RDPID
//   privileged   doors to ring 0 and features that are off: SYSENTER, INT n, RDPKRU, and more
//   selectors    null selectors 1 to 3, an interrupt's IRET in between
//   bases        FS and GS base, written by ring 3 itself where the CPU can
//   flags        what PUSHF, SYSCALL and a handler's frame show of TF and RF
#include <array>
#include <iterator>

#include "user/lib/calls.hpp"
#include "user/lib/checks.hpp"
#include "user/lib/exceptions.hpp"
#include "user/lib/instructions.hpp"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"

namespace {

constexpr int rounds = 50;

constinit std::array<std::uint64_t, 4096> kept{};
constinit std::size_t kept_count = 0;
constinit volatile unsigned faults = 0;
constinit volatile unsigned vector = 0;

void keep(std::uint64_t value) { kept[kept_count++ % kept.size()] = value; }

// R15 says where to go on behind a tried instruction.
void note_fault(reprise_frame& frame) {
  faults = faults + 1;
  vector = static_cast<unsigned>(frame.vector);
  keep(frame.vector << 32 | frame.error_code);
  frame.rip = frame.r15;
}

// True when the instruction was carried out. It may write RAX, RBX, RCX, RDX and `operand`.
#define TRY(instruction, operand, count)                             \
  [&] {                                                              \
    const unsigned faults_before = faults;                           \
    std::uint64_t a = 0, b = 0, c = (count), d = 0;                  \
    asm volatile("lea 1f(%%rip), %%r15\n\t" instruction "\n1:"       \
                 : "+a"(a), "+b"(b), "+c"(c), "+d"(d), "+m"(operand) \
                 : "S"(&(operand))                                   \
                 : "r15", "memory", "cc");                           \
    keep(a), keep(b), keep(c), keep(d);                              \
    return faults == faults_before;                                  \
  }()

alignas(64) constinit std::array<std::uint64_t, 512> area{};

bool has_umip() { return user::cpuid(0).eax >= 7 && (user::cpuid(7).ecx >> 2 & 1) != 0; }

struct Stamp {
  std::uint32_t low = 0, high = 0, processor = 0;
};

// RDTSCP writes what is in ECX, RDTSC leaves it.
#define READ_STAMP(bytes)                                                                    \
  [] {                                                                                       \
    Stamp stamp{0, 0, ~0u};                                                                  \
    asm volatile(".byte " bytes : "=a"(stamp.low), "=d"(stamp.high), "+c"(stamp.processor)); \
    return stamp;                                                                            \
  }

using ReadStamp = Stamp (*)();
constexpr ReadStamp by_rdtsc[] = {READ_STAMP("0x0f, 0x31"), READ_STAMP("0x48, 0x0f, 0x31"),
                                  READ_STAMP("0x66, 0x0f, 0x31"), READ_STAMP("0x2e, 0x0f, 0x31"),
                                  READ_STAMP("0x67, 0xf2, 0x41, 0x0f, 0x31")};
constexpr ReadStamp by_rdtscp[] = {
    READ_STAMP("0x0f, 0x01, 0xf9"), READ_STAMP("0x4f, 0x0f, 0x01, 0xf9"),
    READ_STAMP("0x2e, 0x0f, 0x01, 0xf9"), READ_STAMP("0x65, 0x67, 0x40, 0x0f, 0x01, 0xf9"),
    READ_STAMP("0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x3e, 0x0f, "
               "0x01, 0xf9")};  // the longest instruction

void time_stamp() {
  user::stop_handling_exceptions();
  std::uint64_t last = 0;
  for (int i = 0; i < rounds; ++i) {
    const bool rdtscp = i % 2 == 0;
    const Stamp stamp = (rdtscp ? by_rdtscp : by_rdtsc)[i / 2 % std::size(by_rdtsc)]();
    REPRISE_CHECK(stamp.processor == (rdtscp ? 0 : ~0u));
    const std::uint64_t now = std::uint64_t{stamp.high} << 32 | stamp.low;
    REPRISE_CHECK(now > last);
    last = now;
    keep(now);
  }
  const auto before = static_cast<std::uint64_t>(user::time());
  const std::uint64_t stamp = user::time_stamp();
  user::sleep_until(before + 20'000'000);
  const std::uint64_t ticks = user::time_stamp() - stamp;
  const std::uint64_t spent = static_cast<std::uint64_t>(user::time()) - before;
  const std::uint64_t megahertz = ticks * 1000 / spent;
  REPRISE_CHECK(megahertz >= 100 && megahertz <= 10'000);
  user::print("nondeterminism: time-stamp never back, ", megahertz, " MHz\n");
}

void counters() {
  for (int i = 0; i < rounds; ++i) {
    REPRISE_CHECK(!TRY("rdpmc", area, 0));
    REPRISE_CHECK(vector == 13);
    REPRISE_CHECK(!TRY("rdpmc", area, 1u << 30));
    REPRISE_CHECK(vector == 13);
  }
  user::print("nondeterminism: counters fault\n");
}

void tables() {
  const bool umip = has_umip();
  for (int i = 0; i < rounds; ++i) {
    REPRISE_CHECK(TRY("sgdt (%%rsi)", area, 0) != umip);
    REPRISE_CHECK(TRY("sidt (%%rsi)", area, 0) != umip);
    REPRISE_CHECK(TRY("sldt %%eax", area, 0) != umip);
    REPRISE_CHECK(TRY("smsw %%eax", area, 0) != umip);
    REPRISE_CHECK(TRY("str %%eax", area, 0) != umip);
    REPRISE_CHECK(!umip || vector == 13);
    keep(area[0]), keep(area[1]);
  }
  user::print("nondeterminism: tables ", umip ? "fault" : "are constant", "\n");
}

void cpuid() {
  std::uint64_t first = 0;
  for (int i = 0; i < rounds; ++i) {
    std::uint64_t sum = 0;
    for (const std::uint32_t block : {0u, 0x80000000u}) {
      const std::uint32_t last = user::cpuid(block).eax;
      for (std::uint32_t leaf = block; leaf <= last; ++leaf) {
        for (std::uint32_t subleaf = 0; subleaf < 4; ++subleaf) {
          const user::CpuidResult r = user::cpuid(leaf, subleaf);
          for (const std::uint32_t word : {r.eax, r.ebx, r.ecx, r.edx}) sum = sum * 31 + word;
        }
      }
    }
    if (i == 0) first = sum;
    REPRISE_CHECK(sum == first);
    keep(sum);
  }
  const bool rdrand = (user::cpuid(1).ecx >> 30 & 1) != 0;
  user::print("nondeterminism: cpuid constant, RDRAND ", rdrand ? "told" : "hidden", "\n");
}

void constants() {
  const bool xsave = (user::cpuid(1).ecx >> 27 & 1) != 0;
  const bool xgetbv1 = xsave && (user::cpuid(13, 1).eax >> 2 & 1) != 0;
  const bool rdpid = user::cpuid(0).eax >= 7 && (user::cpuid(7).ecx >> 22 & 1) != 0;
  std::array<std::uint64_t, 4096> before{};
  for (int i = 0; i < rounds; ++i) {
    kept_count = 0;
    for (const std::uint64_t selector : {0x00, 0x08, 0x10, 0x1b, 0x23, 0x28, 0x33}) {
      REPRISE_CHECK(TRY("lsl %%rcx, %%rax\n\tsetz %%bl", area, selector));
      REPRISE_CHECK(TRY("lar %%rcx, %%rax\n\tsetz %%bl", area, selector));
      REPRISE_CHECK(TRY("verr %%cx\n\tsetz %%bl", area, selector));
      REPRISE_CHECK(TRY("verw %%cx\n\tsetz %%bl", area, selector));
    }
    if (xgetbv1) REPRISE_CHECK(TRY("xgetbv", area, 1));
    if (xsave) REPRISE_CHECK(TRY("mov $7, %%eax\n\txsave (%%rsi)", area, 0));
    keep(area[64]);  // XSTATE_BV
    if (rdpid) REPRISE_CHECK(TRY("rdpid %%rax", area, 0));
    if (rdpid) REPRISE_CHECK(kept[(kept_count - 4) % kept.size()] == 0);
    for (std::size_t k = 0; i > 0 && k < kept_count; ++k) REPRISE_CHECK(kept[k] == before[k]);
    before = kept;
    user::raw_call(REPRISE_YIELD);
  }
  user::print("nondeterminism: constants: lsl lar verr verw", xgetbv1 ? " xgetbv" : "",
              xsave ? " xsave" : "", rdpid ? " rdpid" : "", "\n");
}

void privileged() {
  for (int i = 0; i < rounds; ++i) {
    REPRISE_CHECK(!TRY("sysenter", area, 0));
    REPRISE_CHECK(!TRY("int $0x80", area, 0) && vector == 13);
    REPRISE_CHECK(!TRY("int $0x20", area, 0) && vector == 13);
    REPRISE_CHECK(!TRY("rdmsr", area, 0x10) && vector == 13);
    REPRISE_CHECK(!TRY("mov %%cr4, %%rax", area, 0) && vector == 13);
    REPRISE_CHECK(!TRY("rdpkru", area, 0) && vector == 6);
    REPRISE_CHECK(!TRY("wrpkru", area, 0) && vector == 6);
    static_cast<void>(TRY("tpause %%eax", area, 0));  // fault by CR4.TSD; an emulator may take
    static_cast<void>(TRY("umwait %%eax", area, 0));  // them for something that does nothing
    REPRISE_CHECK(!TRY(".byte 0x0f, 0x01, 0xfd", area, 0));        // RDPRU: the same
    REPRISE_CHECK(!TRY(".byte 0xf3, 0x0f, 0x01, 0xed", area, 0));  // TESTUI
    REPRISE_CHECK(!TRY("monitor", area, 0));
    REPRISE_CHECK(!TRY("xsetbv", area, 0) && vector == 13);
    REPRISE_CHECK(!TRY("in $0x40, %%al", area, 0) && vector == 13);
    REPRISE_CHECK(!TRY("cli", area, 0) && vector == 13);
  }
  user::print("nondeterminism: privileged all fault\n");
}

// Only the first run has the fault of the first write; the IRET from it nulls the selectors.
void selectors() {
  constexpr std::uint64_t page = 0x10000000;
  for (int i = 0; i < rounds; ++i) {
    const std::uint64_t address = page + static_cast<std::uint64_t>(i) * REPRISE_PAGE_SIZE;
    REPRISE_CHECK(
        user::map(address, REPRISE_PAGE_SIZE, REPRISE_PROTECT_READ | REPRISE_PROTECT_WRITE) == 0);
    const std::uint32_t null = static_cast<std::uint32_t>(i % 3 + 1);
    asm volatile("mov %0, %%ds\n\tmov %0, %%es" : : "r"(null));
    *reinterpret_cast<volatile std::uint64_t*>(address) = 1;
    user::raw_call(REPRISE_YIELD);
    asm volatile("mov %0, %%ds\n\tmov %0, %%es" : : "r"(0));
  }
  user::print("nondeterminism: selectors 1 to 3 are null\n");
}

// A PE's last values are where the next PE goes on, and where its second run starts.
void bases() {
  std::uint64_t fs = 0x1000, gs = 0x7fff00000000;
  const auto write = [&] {
    return TRY("wrfsbase %%rcx", area, fs) && TRY("wrgsbase %%rcx", area, gs);
  };
  bool kept_here = true;
  for (int i = 0; i < rounds && kept_here; ++i) {
    kept_here = write();
    user::raw_call(REPRISE_YIELD);
    std::uint64_t found_fs = 0, found_gs = 0;
    if (kept_here) asm volatile("rdfsbase %0\n\trdgsbase %1" : "=r"(found_fs), "=r"(found_gs));
    REPRISE_CHECK(!kept_here || (found_fs == fs && found_gs == gs));
    keep(found_fs), keep(found_gs);
    if (kept_here) asm volatile("rdfsbase %0\n\tadd $8, %0\n\twrfsbase %0" : "=r"(found_fs));
    user::raw_call(REPRISE_YIELD);
    if (kept_here) asm volatile("rdfsbase %0" : "=r"(found_fs));
    REPRISE_CHECK(!kept_here || found_fs == fs + 8);
    fs += 24;
  }
  user::print("nondeterminism: bases ", kept_here ? "kept" : "of the kernel alone", "\n");
}

void flags() {
  constexpr std::uint64_t hidden = 1u << 8 | 1u << 16;  // TF, RF
  std::uint64_t seen = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::uint64_t pushed = 0;
    asm volatile("pushfq\n\tpop %0" : "=r"(pushed));
    seen |= pushed;
  }
  for (int i = 0; i < rounds; ++i) {
    std::uint64_t left = 0, number = REPRISE_YIELD;
    asm volatile("syscall\n\tmov %%r11, %0" : "=r"(left), "+a"(number) : : "rcx", "r11", "memory");
    seen |= left;
    REPRISE_CHECK(!TRY("hlt", area, 0));
  }
  REPRISE_CHECK((seen & hidden) == 0);
  user::print("nondeterminism: flags without TF and RF\n");
}

struct Row {
  std::string_view name;
  void (*attempt)();
};
constexpr Row all[] = {
    {"time-stamp", time_stamp}, {"counters", counters},   {"tables", tables},
    {"cpuid", cpuid},           {"constants", constants}, {"privileged", privileged},
    {"selectors", selectors},   {"bases", bases},         {"flags", flags}};

}  // namespace

int main(int argc, char** argv) {
  const std::string_view wanted = user::text_argument(argc, argv, 1);
  user::handle_exceptions(note_fault);
  for (const Row& row : all) {
    if (row.name != wanted) continue;
    row.attempt();
    return 0;
  }
  user::print("usage: nondeterminism ROW\n");
  return 2;
}
