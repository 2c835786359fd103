// callfuzz [COUNT [SEED [wild]]]: COUNT random native calls with random arguments. Each answer must
// be one that the ABI knows. A call writes only to the buffer that it was given, and no data of the
// kernel or of a neighbour (user/programs/neighbour.cpp) comes back. The calls work on an arena, so
// the program survives. With `wild` they work on any address, and the program may end in any way.
// Calls that a later kernel adds are made, too; call_rows has details about some.
#include <cstddef>
#include <cstdint>

#include "user/lib/calls.hpp"
#include "user/lib/checks.hpp"
#include "user/lib/ipc.hpp"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"
#include "user/programs/neighbour.hpp"
#include "user/programs/streams/random.hpp"

// user/lib/system_call.asm: RDI, RSI, RDX, R10, R8, R9 in this order, and what the call left there.
extern "C" std::int64_t reprise_message_call(std::uint64_t number, std::uint64_t* registers);

namespace {

constexpr std::uint64_t page = REPRISE_PAGE_SIZE;
constexpr std::uint64_t arena = 0x200000000000, arena_pages = 64, arena_bytes = arena_pages * page;
constexpr unsigned read_write = REPRISE_PROTECT_READ | REPRISE_PROTECT_WRITE;
constexpr std::uint64_t canary = 0x6d15c0ffee15dead;

// The kinds of arguments that change nothing but the arena.
enum class Argument : std::uint8_t {
  Any,      // a number, wherever it leads
  Range,    // an address whose pages the call may change or write
  Bytes,    // a size; with Range before it, kept within the arena or wildly beyond all memory
  Offset,   // in a file, by pages
  Few,      // a size, mostly small: what is printed takes time
  Small,    // flags
  Soon,     // a time not far ahead
  Nowhere,  // no handler, or an address that none can have
  Nobody,   // a process that is not there, or this one, or init: another one might never answer
  Sizes,    // of a message, and of the room for one in the Range before it
};
using enum Argument;

struct Call {
  std::uint64_t number;
  Argument arguments[6];
};

// Calls not named here get arguments of any kind, but never an address outside of the arena that is
// the program's own. Left out: EXIT and REFUSE, which end the program, and RESUME from a frame,
// which sends it anywhere (`wild` makes all three).
constexpr Call call_rows[] = {
    {REPRISE_LOG, {Range, Few, Any, Any, Any, Any}},
    {REPRISE_MAP, {Range, Bytes, Small, Small, Any, Any}},
    {REPRISE_UNMAP, {Range, Bytes, Any, Any, Any, Any}},
    {REPRISE_PROTECT, {Range, Bytes, Small, Any, Any, Any}},
    {REPRISE_SET_BASE, {Small, Any, Any, Any, Any, Any}},
    {REPRISE_TIME, {Small, Any, Any, Any, Any, Any}},
    {REPRISE_SLEEP, {Soon, Any, Any, Any, Any, Any}},
    {REPRISE_LOG_READ, {Range, Bytes, Small, Any, Any, Any}},
    {REPRISE_SET_HANDLER, {Small, Nowhere, Range, Any, Any, Any}},
    {REPRISE_MAP_FILE, {Range, Bytes, Small, Offset, Any, Any}},
    {REPRISE_CALL, {Nobody, Any, Any, Any, Range, Sizes}},
    {REPRISE_RECEIVE, {Nobody, Any, Any, Any, Range, Sizes}},
    {REPRISE_MAP_DEVICE, {Range, Bytes, Any, Any, Any, Any}},
    {REPRISE_DEVICE_WRITE, {Any, Range, Few, Any, Any, Any}},
};
constexpr std::uint64_t last_number = 40;  // of those that may come to exist
constexpr std::int64_t last_error = 32;

constexpr std::uint64_t numbers[] = {
    0,          1,          2,        3,         7,           8,
    page - 1,   page,       page + 1, 2 * page,  1ull << 31,  1ull << 32,
    1ull << 47, 1ull << 63, ~0ull,    ~0ull - 1, ~(page - 1), 0x7fffffffffffffff};
constexpr std::uint64_t nobodys[] = {  // addresses that no program has
    0,
    8,
    0x00007fffffffe000,
    0x00007ffffffff000,
    0x0000800000000000,
    0x7ffffffffffff000,
    0xffff7ffffffff000,
    0xffff800000000000,
    0xffffffff80000000,
    0xffffffff80100000,
    0xfffffffffffff000,
    0xfffffffffffffff8};

std::uint64_t number(Random& random) {
  switch (random.below(4)) {
    case 0: return random.next() >> random.below(64);
    case 1: return random.below(8);
    default: return random.of(numbers);
  }
}

std::uint64_t range(Random& random) {
  const std::uint64_t in_page = random.once_in(3) ? random.of(numbers) % page : 0;
  if (random.once_in(6)) return random.of(nobodys) + in_page;
  return arena + page * random.below(arena_pages + 1) + in_page;
}

// A size for a call that starts at `from`. The call ends within the arena, just behind it, or
// beyond all that a process can have.
std::uint64_t bytes(Random& random, std::uint64_t from) {
  const bool inside = from >= arena && from < arena + arena_bytes + page;
  if (random.once_in(5)) return (1ull << 47) + number(random) % (1ull << 62);
  if (!inside) return random.once_in(2) ? number(random) : page;
  const std::uint64_t room = arena + arena_bytes + page - from;
  return random.once_in(2) ? page * random.below(room / page + 1) : random.below(room);
}

const Call* row_of(std::uint64_t wanted) {
  for (const Call& row : call_rows) {
    if (row.number == wanted) return &row;
  }
  return nullptr;
}

struct Made {
  std::uint64_t number, arguments[6];
};

std::uint64_t argument(Random& random, Argument kind, const Made& made, std::size_t index) {
  switch (kind) {
    case Range: return range(random);
    case Bytes: return bytes(random, made.arguments[index - 1]);
    case Soon: return static_cast<std::uint64_t>(user::time()) + random.below(3000);
    case Offset: return random.once_in(4) ? number(random) : page * random.below(16);
    case Few: return random.once_in(40) ? number(random) : random.below(40);
    case Small: return random.once_in(4) ? number(random) : random.below(8);
    case Nowhere: return random.once_in(2) ? 0 : (1ull << 47) + (number(random) >> 1);
    case Nobody: {
      const std::uint64_t nobody[] = {
          0, static_cast<std::uint64_t>(user::self()), 99, REPRISE_INIT, ~0ull, random.next() | 64};
      return random.of(nobody);
    }
    case Sizes: {
      const std::uint64_t from = made.arguments[index - 1];
      return (bytes(random, from) & 0xffffffff) | bytes(random, from) << 32;
    }
    case Any: break;
  }
  return random.once_in(3) ? range(random) : number(random);
}

Made make_call(Random& random, bool wild) {
  Made made{};
  made.number = random.once_in(20) ? number(random) : random.below(last_number + 1);
  const bool ends =
      made.number == REPRISE_EXIT || made.number == REPRISE_REFUSE || made.number == REPRISE_RESUME;
  if (ends && (!wild || !random.once_in(64))) made.number = REPRISE_SELF;
  const Call* const row = row_of(made.number);
  for (std::size_t i = 0; i < 6; ++i) {
    const Argument kind = row == nullptr ? Any : row->arguments[i];
    made.arguments[i] = argument(random, kind, made, i);
    if (wild && random.once_in(8)) {
      made.arguments[i] = random.once_in(2)
                              ? 0x400000 + page * random.below(16)
                              : user::start_information().stack_high - page * random.below(8);
    }
  }
  return made;
}

[[noreturn]] void fail(const Made& made, std::int64_t result, const char* what) {
  user::print("callfuzz: call ", made.number, "(", user::Hex{made.arguments[0]}, ", ",
              user::Hex{made.arguments[1]}, ", ", user::Hex{made.arguments[2]}, ", ",
              user::Hex{made.arguments[3]}, ") gave ", result, ": ", what, "\n");
  user::exit(1);
}

// Kernel addresses, and what a neighbour fills its memory with.
bool is_disclosed(std::uint64_t word) {
  const bool kernel = word >= 0xffff800000000000 && word < 0xfffffffffffff000;
  return kernel || (word & neighbour_mask) == neighbour_word;
}

// The kernel obeyed a call that it must refuse: a range of others, or more than there is.
void check_obeyed(const Made& made, std::int64_t result) {
  constexpr std::uint64_t user_high = 0x00007fffffffe000;
  const std::uint64_t* const a = made.arguments;
  const Call* const row = row_of(made.number);
  if (row != nullptr && row->arguments[0] == Range && result >= 0 && a[1] != 0 &&
      a[0] >= user_high) {
    fail(made, result, "obeyed beyond the user half");
  }
  const std::uint64_t file = user::start_information().file_bytes;
  if (made.number == REPRISE_MAP_FILE && result >= 0 && (a[3] > file || a[1] > file - a[3])) {
    fail(made, result, "more than the file disclosed");
  }
}

// RSI, RDX, R10 and R8 after the call: unchanged, or as the ABI says.
void check_registers(const Made& made, const std::uint64_t (&after)[6], std::int64_t result) {
  const bool answered = made.number == REPRISE_CALL && result >= 0;  // by init, the only one called
  for (std::size_t i = 1; i < 5; ++i) {
    const bool told = made.number == REPRISE_RECEIVE || (answered && i < 4);
    if (after[i] != made.arguments[i] && (is_disclosed(after[i]) || !told))
      fail(made, static_cast<std::int64_t>(after[i]), "left in a register");
  }
  if (made.number == REPRISE_RECEIVE && result >= 0 &&
      (result != 0 || after[1] != REPRISE_NOTE_ALARM))
    fail(made, result, "received what nobody sent");
}

void check_result(const Made& made, std::int64_t result) {
  const auto word = static_cast<std::uint64_t>(result);
  if (result < 0 && result < -last_error) fail(made, result, "no error of the ABI");
  if (made.number > last_number && result >= 0) fail(made, result, "there is no such call");
  if (made.number != REPRISE_ENTROPY && is_disclosed(word)) fail(made, result, "disclosed");
}

// A page of the program's own file may hold words that look like anything.
bool stands_in_file(std::uint64_t word, std::uint64_t offset) {
  const reprise_start& start = user::start_information();
  for (std::uint64_t at = offset; at + 8 <= start.file_bytes; at += page) {
    if (*reinterpret_cast<const std::uint64_t*>(start.file_address + at) == word) return true;
  }
  return false;
}

// Fresh pages hold zeros, and the calls have written no other process's data into the arena.
void check_arena(const Made& made, std::uint64_t first, std::uint64_t pages) {
  for (std::uint64_t i = 0; i < pages * page / 8; ++i) {
    const std::uint64_t word = reinterpret_cast<const volatile std::uint64_t*>(first)[i];
    if (is_disclosed(word) && !stands_in_file(word, i * 8 % page))
      fail(made, static_cast<std::int64_t>(word), "disclosed in a page");
  }
}

// Two pages beside the arena that no call gets, and a page of the program's own.
alignas(page) constinit std::uint64_t own[page / 8]{};
constexpr std::uint64_t fences[] = {arena - page, arena + arena_bytes + page};

void set_fences() {
  for (std::uint64_t& word : own) word = canary;
  for (const std::uint64_t fence : fences) {
    REPRISE_CHECK(user::map(fence, page, read_write) == 0);
    for (std::size_t i = 0; i < page / 8; ++i) reinterpret_cast<std::uint64_t*>(fence)[i] = canary;
  }
}

void check_fences(const Made& made) {
  for (std::size_t i = 0; i < page / 8; ++i) {
    bool whole = own[i] == canary;
    for (const std::uint64_t fence : fences) {
      whole = whole && reinterpret_cast<volatile std::uint64_t*>(fence)[i] == canary;
    }
    if (!whole) fail(made, 0, "written where no call was told to");
  }
}

// Makes the arena anew. First it checks the pages that can certainly be read: a page whose PROTECT
// succeeds exists.
void renew(const Made& made) {
  for (std::uint64_t i = 0; i < arena_pages; ++i) {
    const std::uint64_t at = arena + i * page;
    if (user::protect(at, page, REPRISE_PROTECT_READ) == 0) check_arena(made, at, 1);
  }
  REPRISE_CHECK(user::map(arena, arena_bytes / 2, read_write, REPRISE_MAP_REPLACE) == 0);
  REPRISE_CHECK(user::unmap(arena + arena_bytes / 2, arena_bytes / 2 + page) == 0);
  for (std::uint64_t i = 0; i < arena_pages / 2; i += 5) {
    *reinterpret_cast<volatile std::uint64_t*>(arena + i * page) = canary;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t count = user::number_argument(argc, argv, 1, 10000);
  const std::uint64_t seed = user::number_argument(argc, argv, 2, 1);
  const bool wild = user::text_argument(argc, argv, 3) == "wild";
  Random random{seed};
  Made made{};
  std::uint64_t refused = 0;
  set_fences();
  for (std::uint64_t i = 0; i < count; ++i) {
    if (i % 512 == 0) {
      if (!wild) check_fences(made);
      renew(made);
    }
    made = make_call(random, wild);
    if (made.number == REPRISE_RECEIVE) user::alarm(argument(random, Soon, made, 0));  // its end
    std::uint64_t registers[6];
    for (std::size_t j = 0; j < 6; ++j) registers[j] = made.arguments[j];
    const std::int64_t result = reprise_message_call(made.number, registers);
    check_result(made, result);
    check_registers(made, registers, result);
    check_obeyed(made, result);
    refused += result < 0 ? 1 : 0;
  }
  if (!wild) check_fences(made);
  renew(made);
  user::print("\ncallfuzz: seed ", seed, ": ", count, " calls, ", refused, " refused\n");
  return 0;
}
