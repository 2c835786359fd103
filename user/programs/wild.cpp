// wild: gives wild addresses, lengths and numbers to every native call. The kernel must refuse each
// with a clean error, and nothing else may happen.
#include "user/programs/wild.hpp"

#include "user/lib/calls.hpp"
#include "user/lib/checks.hpp"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"

namespace {

constinit std::uint64_t refusals = 0;

constexpr std::uint64_t page = REPRISE_PAGE_SIZE;
constexpr std::uint64_t read_only = REPRISE_PROTECT_READ;
constexpr std::uint64_t read_write = REPRISE_PROTECT_READ | REPRISE_PROTECT_WRITE;
constexpr std::uint64_t write_execute = REPRISE_PROTECT_WRITE | REPRISE_PROTECT_EXECUTE;
constexpr std::uint64_t code = 0x400000;

// Pages: never the program's own.
constexpr std::uint64_t wild_pages[] = {
    0,                   // the page that catches null pointers
    0x00007fffffffe000,  // end of the user half
    0x00007ffffffff000,  // its last page
    0x0000800000000000,  // first that is not canonical
    0x7ffffffffffff000,  // middle of nowhere
    0xffff7ffffffff000,  // last that is not canonical
    0xffff800000000000,  // direct map
    0xffffffff80000000,  // kernel image
    0xfffffffffffff000,  // last of all
};
constexpr std::uint64_t wild_lengths[] = {
    0x0000800000000000,
    0x8000000000000000,
    0xfffffffffffff000,
};

void check_memory_calls(std::uint64_t free) {
  for (const std::uint64_t address : wild_pages) {
    REFUSED(REPRISE_BAD_ADDRESS, REPRISE_MAP, address, page, read_write);
    REFUSED(REPRISE_BAD_ADDRESS, REPRISE_UNMAP, address, page);
    REFUSED(REPRISE_BAD_ADDRESS, REPRISE_PROTECT, address, page, read_only);
  }
  for (const std::uint64_t length : wild_lengths) {
    REFUSED(REPRISE_BAD_ADDRESS, REPRISE_MAP, free, length, read_write);
    REFUSED(REPRISE_BAD_ADDRESS, REPRISE_UNMAP, free, length);
    REFUSED(REPRISE_BAD_ADDRESS, REPRISE_PROTECT, free, length, read_only);
  }
  REFUSED(REPRISE_BAD_ADDRESS, REPRISE_MAP, free + 1, page, read_write);
  REFUSED(REPRISE_BAD_ADDRESS, REPRISE_UNMAP, free + 8, page);
  REFUSED(REPRISE_BAD_ADDRESS, REPRISE_PROTECT, code + 4095, page, read_only);
  REFUSED(REPRISE_BAD_ADDRESS, REPRISE_PROTECT, free, page, read_only);  // not mapped
  REFUSED(REPRISE_BAD_ARGUMENT, REPRISE_MAP, free, page, write_execute);
  REFUSED(REPRISE_BAD_ARGUMENT, REPRISE_MAP, free, page, 8);
  REFUSED(REPRISE_BAD_ARGUMENT, REPRISE_MAP, free, page, ~std::uint64_t{0});
  REFUSED(REPRISE_BAD_ARGUMENT, REPRISE_MAP, free, page, read_write, 4);
  REFUSED(REPRISE_BAD_ARGUMENT, REPRISE_PROTECT, code, page, write_execute);
  REFUSED(REPRISE_BAD_ARGUMENT, REPRISE_PROTECT, code, page, 8);
  REFUSED(REPRISE_OCCUPIED, REPRISE_MAP, code, page, read_write);
}

// Wrong pointers to data: into the kernel, to unmapped or read-only pages, and ranges that end
// beyond the mapped part.
void check_data_calls(std::uint64_t free, std::uint64_t stack_high) {
  for (const std::uint64_t address : wild_pages) {
    REFUSED(REPRISE_BAD_ADDRESS, REPRISE_LOG, address, 16);
    REFUSED(REPRISE_BAD_ADDRESS, REPRISE_RESUME, address);
    REFUSED(REPRISE_BAD_ADDRESS, REPRISE_SET_HANDLER, REPRISE_HANDLER_EXCEPTION, code, address);
  }
  REFUSED(REPRISE_BAD_ADDRESS, REPRISE_LOG, stack_high - 8, 9);
  REFUSED(REPRISE_BAD_ADDRESS, REPRISE_LOG, stack_high - 8, ~std::uint64_t{0});
  REFUSED(REPRISE_BAD_ADDRESS, REPRISE_LOG, ~std::uint64_t{0}, ~std::uint64_t{0});
  REFUSED(REPRISE_BAD_ADDRESS, REPRISE_RESUME, stack_high - 8);
  REFUSED(REPRISE_BAD_ADDRESS, REPRISE_SET_HANDLER, REPRISE_HANDLER_EXCEPTION, code, code);
  REFUSED(REPRISE_BAD_ADDRESS, REPRISE_SET_HANDLER, REPRISE_HANDLER_EXCEPTION, code,
          stack_high - 8);
  REFUSED(REPRISE_BAD_ADDRESS, REPRISE_LOG, free, 1);
}

// Pages of the program's file; only whole pages within it can be mapped.
void check_file(std::uint64_t free, std::uint64_t file_bytes) {
  constexpr unsigned readable = REPRISE_PROTECT_READ;
  for (const std::uint64_t address : wild_pages) {
    REFUSED(REPRISE_BAD_ADDRESS, REPRISE_MAP_FILE, address + 1, page, readable, 0);
  }
  REFUSED(REPRISE_BAD_ADDRESS, REPRISE_MAP_FILE, free, 0, readable, 0);
  REFUSED(REPRISE_BAD_ARGUMENT, REPRISE_MAP_FILE, free, page, readable, 1);
  REFUSED(REPRISE_BAD_ARGUMENT, REPRISE_MAP_FILE, free, page, readable, ~(page - 1));
  REFUSED(REPRISE_BAD_ARGUMENT, REPRISE_MAP_FILE, free, page, readable, file_bytes / page * page);
  REFUSED(REPRISE_BAD_ARGUMENT, REPRISE_MAP_FILE, free, (file_bytes / page + 1) * page, readable,
          0);
  REFUSED(REPRISE_BAD_ARGUMENT, REPRISE_MAP_FILE, free, page,
          REPRISE_PROTECT_WRITE | REPRISE_PROTECT_EXECUTE, 0);
  REFUSED(REPRISE_OCCUPIED, REPRISE_MAP_FILE, code, page, readable, 0);
}

void check_numbers() {
  for (const std::uint64_t number : {std::uint64_t{31}, std::uint64_t{1000}, std::uint64_t{1} << 32,
                                     std::uint64_t{1} << 63, ~std::uint64_t{0}})
    REFUSED(REPRISE_NO_SUCH_CALL, number, 1, 2, 3, 4);
  REFUSED(REPRISE_BAD_ARGUMENT, REPRISE_REFUSE, 1000);
  REFUSED(REPRISE_BAD_ARGUMENT, REPRISE_REFUSE, ~std::uint64_t{0});
  REFUSED(REPRISE_BAD_ARGUMENT, REPRISE_SET_BASE, 2, 0);
  REFUSED(REPRISE_BAD_ARGUMENT, REPRISE_SET_HANDLER, 2, code);
  REFUSED(REPRISE_NOT_GRANTED, REPRISE_LOG_READ, code, 0, 0);
  for (const std::uint64_t address :
       {std::uint64_t{0x0000800000000000}, std::uint64_t{0xffff800000000000}, ~std::uint64_t{0}}) {
    REFUSED(REPRISE_BAD_ADDRESS, REPRISE_SET_BASE, REPRISE_BASE_FS, address);
    REFUSED(REPRISE_BAD_ADDRESS, REPRISE_SET_BASE, REPRISE_BASE_GS, address);
    REFUSED(REPRISE_BAD_ADDRESS, REPRISE_SET_HANDLER, REPRISE_HANDLER_SYSCALL, address);
    REFUSED(REPRISE_BAD_ADDRESS, REPRISE_SET_HANDLER, REPRISE_HANDLER_EXCEPTION, address);
  }
}

// Calls with random arguments may return any value that the ABI knows, and no other.
void check_random(std::uint64_t free) {
  std::uint64_t state = 0x2545f4914f6cdd1d;
  const auto next = [&state] {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state >> (state & 31);
  };
  for (int i = 0; i < 500; ++i) {
    const std::uint64_t address = next() | 1ull << 47;  // the kernel's half or no address at all
    const std::uint64_t length = next() | 1;
    REFUSED(REPRISE_BAD_ADDRESS, REPRISE_LOG, address, length);
    REFUSED(REPRISE_NOT_GRANTED, REPRISE_LOG_READ, address, length, next());
    const std::int64_t mapped =
        user::raw_call(REPRISE_MAP, address & ~4095ull, length, next(), next());
    REPRISE_CHECK(mapped < 0 && mapped >= -REPRISE_NOT_GRANTED);
    const std::int64_t at_free = user::raw_call(REPRISE_PROTECT, free, length, next());
    REPRISE_CHECK(at_free < 0 && at_free >= -REPRISE_NOT_GRANTED);
  }
}

}  // namespace

void must_refuse(int line, std::uint64_t number, std::uint64_t a, std::uint64_t b, std::uint64_t c,
                 std::uint64_t d, std::int64_t expected) {
  const std::int64_t result = user::raw_call(number, a, b, c, d);
  if (result != expected) {
    user::print("wild: line ", line, ": call ", number, "(", user::Hex{a}, ", ", user::Hex{b}, ", ",
                user::Hex{c}, ", ", user::Hex{d}, ") gave ", result, ", not ", expected, "\n");
    user::exit(1);
  }
  ++refusals;
}

int main(int, char**) {
  const reprise_start& start = user::start_information();
  const std::uint64_t free = start.map_low;
  check_memory_calls(free);
  check_data_calls(free, start.stack_high);
  check_file(start.map_low, start.file_bytes);
  check_numbers();
  check_random(free);
  check_wild_resume();
  user::print("wild: ", refusals, " wild calls refused\n");
  return 0;
}
