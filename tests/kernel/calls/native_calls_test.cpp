// The calls that all programs may make, with good and with bad arguments. A call that fails has
// changed nothing: neither registers, nor pages, nor frames.
#include <algorithm>
#include <array>
#include <initializer_list>
#include <string>
#include <string_view>

#include "tests/catch.hpp"
#include "tests/kernel/whole_kernel/kernel.hpp"

using namespace reprise;
using arch::Register;
using fakes::data;
using fakes::fails;
using fakes::Kernel;
using fakes::somewhere;

namespace {

constexpr std::uint64_t read_write = REPRISE_PROTECT_READ | REPRISE_PROTECT_WRITE;
constexpr std::uint64_t write_execute = REPRISE_PROTECT_WRITE | REPRISE_PROTECT_EXECUTE;
constexpr std::uint64_t code = REPRISE_IMAGE_BASE, constants = code + page_size;
constexpr std::uint64_t kernel_half = 0xffff800000000000, all_ones = ~0ul;
// The last page of the user half, and the last that there is.
constexpr std::uint64_t last_page = user_high - page_size, top_page = round_down(all_ones);

struct Fixture {
  Kernel kernel;
  Process& program = kernel.start();
};

ProgramRequest granted(std::initializer_list<reprise_grant> grants) {
  ProgramRequest request{.module = fakes::program_module};
  for (const reprise_grant& grant : grants) request.grants[request.grant_count++] = grant;
  return request;
}

}  // namespace

TEST_CASE_METHOD(Fixture,
                 "no call but those of the table exists, and init's exist for init alone") {
  for (const std::uint64_t number : {29ul, 31ul, 46ul, 1000ul, 1ul << 32, 1ul << 63, all_ones})
    CHECK(fails(kernel, program, REPRISE_NO_SUCH_CALL, number));
  for (std::uint64_t number = REPRISE_CONFIGURE; number <= REPRISE_RELEASE; ++number)
    CHECK(fails(kernel, program, REPRISE_NO_SUCH_CALL, number));
  CHECK(fails(kernel, kernel.init(), REPRISE_NO_SUCH_CALL, 46));
}

TEST_CASE_METHOD(Fixture,
                 "mapped pages are zero, the program's to use, and cost a frame only later") {
  kernel.map(program, somewhere, 1);  // its tables
  const std::uint64_t before = kernel.free_frames();
  CHECK(kernel.call(program, REPRISE_MAP, somewhere + page_size, 2 * page_size, read_write) == 0);
  CHECK(kernel.free_frames() == before);
  CHECK(kernel.get<std::uint64_t>(program, somewhere + 3 * page_size - 8) == 0);
  kernel.put(program, somewhere + page_size, 7ul);
  CHECK(kernel.free_frames() == before - 1);
  CHECK(kernel.get<std::uint64_t>(program, somewhere + 2 * page_size) == 0);
}

TEST_CASE_METHOD(Fixture,
                 "MAP, UNMAP and PROTECT refuse every range that is not whole user pages") {
  const auto [address, bytes] = GENERATE(Catch::Generators::table<std::uint64_t, std::uint64_t>({
      {somewhere + 1, page_size},            // not aligned
      {somewhere, page_size + 1},            //
      {somewhere, 0},                        // nothing
      {0, page_size},                        // page 0 belongs to nobody
      {user_high, page_size},                // behind the user half
      {last_page, 2 * page_size},            // out of it
      {kernel_half, page_size},              // the kernel's
      {top_page, page_size},                 //
      {top_page, 2 * page_size},             // wraps around
      {somewhere, round_down(all_ones)},     //
      {somewhere, (16ul << 30) + page_size}  // more than one call may do
  }));
  CHECK(fails(kernel, program, REPRISE_BAD_ADDRESS, REPRISE_MAP, address, bytes, read_write));
  CHECK(fails(kernel, program, REPRISE_BAD_ADDRESS, REPRISE_UNMAP, address, bytes));
  CHECK(fails(kernel, program, REPRISE_BAD_ADDRESS, REPRISE_PROTECT, address, bytes, read_write));
  CHECK(fails(kernel, program, REPRISE_BAD_ADDRESS, REPRISE_MAP_FILE, address, bytes, read_write));
  CHECK(fails(kernel, program, REPRISE_BAD_ADDRESS, REPRISE_MAP_DEVICE, address, bytes,
              fakes::device_start));
}

TEST_CASE_METHOD(Fixture, "no page is writable and executable, and unknown rights are refused") {
  kernel.map(program, somewhere, 1);
  const std::uint64_t free = somewhere + page_size;
  for (const std::uint64_t protection :
       {write_execute, std::uint64_t{7}, std::uint64_t{8}, 1ul << 32, all_ones}) {
    CHECK(fails(kernel, program, REPRISE_BAD_ARGUMENT, REPRISE_MAP, free, page_size, protection));
    CHECK(fails(kernel, program, REPRISE_BAD_ARGUMENT, REPRISE_PROTECT, somewhere, page_size,
                protection));
    CHECK(fails(kernel, program, REPRISE_BAD_ARGUMENT, REPRISE_MAP_FILE, free, page_size,
                protection));
  }
  for (const std::uint64_t flags : {4ul, 7ul, 1ul << 32, all_ones})
    CHECK(fails(kernel, program, REPRISE_BAD_ARGUMENT, REPRISE_MAP, somewhere, page_size,
                read_write, flags));
}

TEST_CASE_METHOD(Fixture, "MAP takes no page that is mapped, unless it is to be replaced") {
  kernel.map(program, somewhere + page_size, 1);
  kernel.put(program, somewhere + page_size, 7ul);
  CHECK(
      fails(kernel, program, REPRISE_OCCUPIED, REPRISE_MAP, somewhere, 3 * page_size, read_write));
  const std::uint64_t before = kernel.free_frames();
  CHECK(kernel.call(program, REPRISE_MAP, somewhere, 3 * page_size, read_write,
                    REPRISE_MAP_REPLACE) == 0);
  CHECK(kernel.get<std::uint64_t>(program, somewhere + page_size) == 0);
  CHECK(kernel.free_frames() == before + 1);
}

TEST_CASE_METHOD(Fixture, "MAP without memory for its tables leaves nothing mapped") {
  kernel.leave_frames(3);  // enough for the first 512 pages
  const fakes::Picture before = kernel.picture_of(program);
  CHECK(kernel.call(program, REPRISE_MAP, somewhere, 513 * page_size, read_write,
                    REPRISE_MAP_SPARSE) == -REPRISE_NO_MEMORY);
  CHECK(kernel.picture_of(program).pages == before.pages);
}

TEST_CASE_METHOD(Fixture, "MAP that replaces loses no page when memory fails for its tables") {
  kernel.map(program, somewhere, 2);
  kernel.put(program, somewhere, 7ul);
  kernel.leave_frames(1);  // the range needs two tables more
  const fakes::Picture before = kernel.picture_of(program);
  constexpr std::uint64_t three_tables = 1025 * page_size;
  constexpr std::uint64_t flags = REPRISE_MAP_REPLACE | REPRISE_MAP_SPARSE;
  CHECK(kernel.call(program, REPRISE_MAP, somewhere, three_tables, read_write, flags) ==
        -REPRISE_NO_MEMORY);
  CHECK(kernel.picture_of(program).pages == before.pages);
  kernel.leave_frames(2);
  CHECK(kernel.call(program, REPRISE_MAP, somewhere, three_tables, read_write, flags) == 0);
  CHECK(kernel.get<std::uint64_t>(program, somewhere) == 0);
}

TEST_CASE_METHOD(Fixture,
                 "MAP promises no more writable memory than there is, unless it is sparse") {
  const auto available = [&] {
    return static_cast<std::uint64_t>(kernel.call(program, REPRISE_USAGE, REPRISE_USAGE_AVAILABLE));
  };
  kernel.map(program, somewhere, 1);  // its tables
  const std::uint64_t pages = available() / page_size, free = somewhere + page_size;
  REQUIRE(pages > 2);
  REQUIRE(pages < kernel.free_frames());  // some are kept back
  CHECK(fails(kernel, program, REPRISE_NO_MEMORY, REPRISE_MAP, free, (pages + 1) * page_size,
              read_write));
  CHECK(kernel.call(program, REPRISE_MAP, free, pages * page_size, read_write) == 0);
  CHECK(available() >= (pages - pages / 256) * page_size);  // it took tables only
  CHECK(kernel.call(program, REPRISE_UNMAP, free, pages * page_size) == 0);
  CHECK(kernel.call(program, REPRISE_MAP, free, (pages + 1) * page_size, REPRISE_PROTECT_READ) ==
        0);
  CHECK(kernel.call(program, REPRISE_UNMAP, free, (pages + 1) * page_size) == 0);
  CHECK(kernel.call(program, REPRISE_MAP, free, (pages + 1) * page_size, read_write,
                    REPRISE_MAP_SPARSE) == 0);
  const std::uint64_t before = available();
  kernel.put(program, free, 1ul);
  CHECK(available() == before - page_size);
  kernel.leave_frames(0);
  CHECK(available() == 0);
}

TEST_CASE_METHOD(Fixture, "USAGE tells the machine's memory and knows no other figure") {
  CHECK(kernel.call(program, REPRISE_USAGE, REPRISE_USAGE_MEMORY) ==
        fakes::usable_frames * page_size);
  CHECK(kernel.call(program, REPRISE_USAGE, REPRISE_USAGE_TIME) == 0);  // no PE has run
  CHECK(fails(kernel, program, REPRISE_BAD_ARGUMENT, REPRISE_USAGE, 3));
  CHECK(fails(kernel, program, REPRISE_BAD_ARGUMENT, REPRISE_USAGE, all_ones));
}

TEST_CASE_METHOD(Fixture, "UNMAP takes holes as they are and gives frames back") {
  kernel.map(program, somewhere, 1);
  kernel.map(program, somewhere + 2 * page_size, 1);
  const std::uint64_t before = kernel.free_frames();
  kernel.put(program, somewhere, 1ul);
  kernel.put(program, somewhere + 2 * page_size, 1ul);
  CHECK(kernel.call(program, REPRISE_UNMAP, somewhere, 3 * page_size) == 0);
  CHECK(kernel.free_frames() == before);
  CHECK_FALSE(program.space().readable(UserAddr{somewhere}, 1));
}

TEST_CASE_METHOD(Fixture,
                 "PROTECT changes all pages or, with a hole or a device among them, none") {
  kernel.map(program, somewhere, 2);
  kernel.map(program, somewhere + 3 * page_size, 1);
  CHECK(fails(kernel, program, REPRISE_BAD_ADDRESS, REPRISE_PROTECT, somewhere, 4 * page_size,
              REPRISE_PROTECT_READ));
  CHECK(kernel.call(program, REPRISE_PROTECT, somewhere, 2 * page_size, REPRISE_PROTECT_READ) == 0);
  CHECK_FALSE(program.space().writable(UserAddr{somewhere + page_size}, 1));
  CHECK(kernel.call(program, REPRISE_PROTECT, somewhere, page_size, 0) == 0);
  CHECK_FALSE(program.space().readable(UserAddr{somewhere}, 1));
}

TEST_CASE_METHOD(Fixture,
                 "MAP_FILE gives whole pages of the program's file and nothing behind it") {
  const std::uint64_t whole = fakes::program_file_pages * page_size;
  CHECK(kernel.call(program, REPRISE_MAP_FILE, somewhere, page_size, REPRISE_PROTECT_READ,
                    page_size) == 0);
  CHECK(kernel.get<std::uint64_t>(program, somewhere) ==
        kernel.get<std::uint64_t>(program, program_file_base + page_size));
  const std::uint64_t to = somewhere + page_size;
  const auto map_file = [&](std::uint64_t bytes, std::uint64_t offset) {
    return fails(kernel, program, REPRISE_BAD_ARGUMENT, REPRISE_MAP_FILE, to, bytes, read_write,
                 offset);
  };
  CHECK(map_file(page_size, 1));
  CHECK(map_file(whole + page_size, 0));
  CHECK(map_file(page_size, whole));
  CHECK(map_file(2 * page_size, whole - page_size));
  CHECK(map_file(page_size, round_down(all_ones)));
  CHECK(fails(kernel, program, REPRISE_OCCUPIED, REPRISE_MAP_FILE, somewhere, page_size, read_write,
              0));
}

TEST_CASE_METHOD(Fixture, "the last page of a file whose end lies within it is not given whole") {
  Process& odd = kernel.start({.module = fakes::odd_module});
  CHECK(kernel.call(odd, REPRISE_MAP_FILE, somewhere, page_size, REPRISE_PROTECT_READ, 0) == 0);
  CHECK(fails(kernel, odd, REPRISE_BAD_ARGUMENT, REPRISE_MAP_FILE, somewhere + page_size, page_size,
              REPRISE_PROTECT_READ, page_size));
  std::array<std::byte, page_size - 100> behind{};
  kernel.get_bytes(odd, program_file_base + page_size + 100, behind);
  CHECK(std::ranges::all_of(behind, [](std::byte b) { return b == std::byte{}; }));
}

TEST_CASE_METHOD(Fixture, "a write to a mapped file's page never reaches the file") {
  CHECK(kernel.call(program, REPRISE_MAP_FILE, somewhere, page_size, read_write, 0) == 0);
  const auto before = kernel.get<std::uint64_t>(program, program_file_base);
  kernel.put(program, somewhere, ~before);
  CHECK(kernel.get<std::uint64_t>(program, program_file_base) == before);
}

TEST_CASE_METHOD(Fixture, "LOG writes readable text of any length, cut where the ABI says") {
  CHECK(kernel.call(program, REPRISE_LOG, data, 0, 0) == 0);
  CHECK(kernel.call(program, REPRISE_LOG, all_ones, 0, 0) == 0);  // no bytes: no address is used
  const std::string text = "across two pages\n";
  kernel.put_bytes(program, data + page_size - 5, std::as_bytes(std::span{text}));
  fakes::hardware.emergency.clear();
  CHECK(kernel.call(program, REPRISE_LOG, data + page_size - 5, text.size(), 0) == 17);
  CHECK(fakes::hardware.emergency == text);
  kernel.map(program, somewhere, 5);
  CHECK(kernel.call(program, REPRISE_LOG, somewhere, all_ones, 0) == REPRISE_LOG_BYTES);
  fakes::hardware.emergency.clear();
  for (const std::uint64_t bad : {0ul, kernel_half, all_ones - 3, last_page + 1, somewhere - 1})
    CHECK(fails(kernel, program, REPRISE_BAD_ADDRESS, REPRISE_LOG, bad, 8, 0));
  CHECK(fails(kernel, program, REPRISE_BAD_ADDRESS, REPRISE_LOG, somewhere + 4 * page_size,
              page_size + 1, 0));
  CHECK(fakes::hardware.emergency.empty());
}

TEST_CASE_METHOD(Fixture, "a LOG of lines begins at the margin") {
  kernel.put(program, data, std::array{'a', 'b'});
  fakes::hardware.emergency.clear();
  CHECK(kernel.call(program, REPRISE_LOG, data, 1, 0) == 1);
  CHECK(kernel.call(program, REPRISE_LOG, data + 1, 1, REPRISE_LOG_LINES) == 1);
  CHECK(fakes::hardware.emergency == "a\nb");
}

TEST_CASE_METHOD(Fixture,
                 "LOG_READ is for processes that are granted the log, and takes no text in vain") {
  CHECK(fails(kernel, program, REPRISE_NOT_GRANTED, REPRISE_LOG_READ, data, 100, 0));
  Process& reader = kernel.start(granted({{.kind = REPRISE_GRANT_LOG, .first = 0, .last = 0}}));
  CHECK(kernel.call(reader, REPRISE_LOG_READ, data, 100, 0) == 0);
  kernel.machine().log.write("text");
  for (const std::uint64_t output : {2ul, 1ul << 32, all_ones})
    CHECK(fails(kernel, reader, REPRISE_BAD_ARGUMENT, REPRISE_LOG_READ, data, 100, output));
  for (const std::uint64_t bad : {0ul, kernel_half, constants, somewhere})
    CHECK(fails(kernel, reader, REPRISE_BAD_ADDRESS, REPRISE_LOG_READ, bad, 100, 0));
  CHECK(kernel.call(reader, REPRISE_LOG_READ, data, 3, 0) == 3);
  CHECK(kernel.call(reader, REPRISE_LOG_READ, data + 3, 100, 0) == 1);
  CHECK(kernel.get<std::uint32_t>(reader, data) == 0x74786574);
}

TEST_CASE_METHOD(Fixture,
                 "time calls answer with the clock, and waiting ones leave the context waiting") {
  fakes::hardware.now = 12345;
  CHECK(kernel.call(program, REPRISE_TIME) == 12345);
  CHECK(kernel.call(program, REPRISE_ALARM, 777) == 0);
  CHECK(program.context().mailbox.alarm.value() == 777);
  fakes::hardware.random = all_ones;
  CHECK(kernel.call(program, REPRISE_ENTROPY) == INT64_MAX);
  CHECK(kernel.call(program, REPRISE_YIELD) == 0);
  CHECK(program.context().status == ContextStatus::Ready);
  CHECK(kernel.call(program, REPRISE_SLEEP, 999) == 0);
  CHECK(program.context().status == ContextStatus::Sleeping);
  CHECK(program.context().wake_at.value() == 999);
}

TEST_CASE_METHOD(Fixture, "SET_BASE takes FS and GS and addresses of the user half") {
  CHECK(kernel.call(program, REPRISE_SET_BASE, REPRISE_BASE_FS, user_high - 1) == 0);
  CHECK(kernel.call(program, REPRISE_SET_BASE, REPRISE_BASE_GS, 0x1234) == 0);
  CHECK(Kernel::word(program, Register::FsBase) == user_high - 1);
  CHECK(Kernel::word(program, Register::GsBase) == 0x1234);
  CHECK(fails(kernel, program, REPRISE_BAD_ARGUMENT, REPRISE_SET_BASE, 2, 0));
  CHECK(fails(kernel, program, REPRISE_BAD_ARGUMENT, REPRISE_SET_BASE, all_ones, 0));
  for (const std::uint64_t bad : {user_high, kernel_half, all_ones})
    CHECK(fails(kernel, program, REPRISE_BAD_ADDRESS, REPRISE_SET_BASE, 0, bad));
}

TEST_CASE_METHOD(Fixture,
                 "SET_HANDLER takes entries of the user half and frames that can be written") {
  constexpr auto exception = REPRISE_HANDLER_EXCEPTION, syscall = REPRISE_HANDLER_SYSCALL;
  CHECK(fails(kernel, program, REPRISE_BAD_ARGUMENT, REPRISE_SET_HANDLER, 2, code, data));
  CHECK(fails(kernel, program, REPRISE_BAD_ADDRESS, REPRISE_SET_HANDLER, syscall, user_high, 0));
  CHECK(
      fails(kernel, program, REPRISE_BAD_ADDRESS, REPRISE_SET_HANDLER, exception, all_ones, data));
  const std::uint64_t end = data + 3 * page_size;  // of what is mapped there
  for (const std::uint64_t frame :
       {0ul, constants, kernel_half, all_ones - 8, end - sizeof(reprise_frame) + 1, user_high - 8})
    CHECK(fails(kernel, program, REPRISE_BAD_ADDRESS, REPRISE_SET_HANDLER, exception, code, frame));
  CHECK(kernel.call(program, REPRISE_SET_HANDLER, exception, code, end - sizeof(reprise_frame)) ==
        0);
  CHECK(program.context().exception_handler.entry.value() == code);
  CHECK(kernel.call(program, REPRISE_SET_HANDLER, exception, 0, all_ones) == 0);  // removes it
  CHECK(program.context().exception_handler.entry.value() == 0);
  CHECK(kernel.call(program, REPRISE_SET_HANDLER, syscall, code, all_ones) == 0);
  CHECK(program.context().syscall_entry.value() == code);
}

TEST_CASE_METHOD(Fixture,
                 "RESUME loads all registers of the frame, but only flags that ring 3 can have") {
  reprise_frame frame{};
  frame.rax = 11;
  frame.r15 = 22;
  frame.rip = user_high - 1;
  frame.rflags = all_ones;
  kernel.put(program, data, frame);
  CHECK(kernel.call(program, REPRISE_RESUME, data) == 11);
  CHECK(Kernel::word(program, Register::R15) == 22);
  CHECK(Kernel::word(program, Register::Rip) == user_high - 1);
  CHECK(Kernel::word(program, Register::Rflags) == (REPRISE_USER_FLAGS | 0x202));
  for (const std::uint64_t rip : {user_high, kernel_half, all_ones}) {
    frame.rip = rip;
    kernel.put(program, data, frame);
    CHECK(fails(kernel, program, REPRISE_BAD_ARGUMENT, REPRISE_RESUME, data));
  }
  for (const std::uint64_t bad : {0ul, kernel_half, all_ones, somewhere, data + 3 * page_size - 1})
    CHECK(fails(kernel, program, REPRISE_BAD_ADDRESS, REPRISE_RESUME, bad));
}

TEST_CASE_METHOD(Fixture,
                 "EXIT ends the process with the status's low eight bits, and init hears of it") {
  CHECK(kernel.call(program, REPRISE_SELF) == 2);
  kernel.call(program, REPRISE_EXIT, 0x1234);
  CHECK(program.has_ended());
  CHECK(program.ending.status == 0x34);
  CHECK(kernel.init().context().mailbox.notes == REPRISE_NOTE_NEWS);
}

TEST_CASE_METHOD(Fixture, "REFUSE ends the process and keeps the error, which has a bound") {
  CHECK(fails(kernel, program, REPRISE_BAD_ARGUMENT, REPRISE_REFUSE, 64));
  CHECK(fails(kernel, program, REPRISE_BAD_ARGUMENT, REPRISE_REFUSE, all_ones));
  kernel.call(program, REPRISE_REFUSE, 63);
  CHECK(program.has_ended());
  CHECK(program.ending.status == status_refused);
  CHECK(program.ending.refusal == 64);
}

TEST_CASE_METHOD(Fixture, "a process that ends gives all frames back but those of its place") {
  kernel.call(program, REPRISE_EXIT, 0);
  kernel.machine().processes.remove(program);
  const std::uint64_t before = kernel.free_frames();
  Process& next = kernel.start();
  kernel.map(next, somewhere, 10);
  kernel.put(next, somewhere, 1ul);
  kernel.call(next, REPRISE_EXIT, 0);
  CHECK(kernel.free_frames() == before - 1);  // the root of its table
  kernel.machine().processes.remove(next);
  CHECK(kernel.free_frames() == before);
}

TEST_CASE_METHOD(Fixture, "device memory is mapped where it is granted, and read by nobody") {
  constexpr std::uint64_t start = fakes::device_start, last = start + 2 * page_size - 1;
  Process& driver =
      kernel.start(granted({{.kind = REPRISE_GRANT_MEMORY, .first = start, .last = last}}));
  CHECK(kernel.call(driver, REPRISE_MAP_DEVICE, somewhere, 2 * page_size, start) == 0);
  CHECK(driver.space().is_device(UserAddr{somewhere + page_size}));
  CHECK_FALSE(driver.space().readable(UserAddr{somewhere}, 1));
  CHECK(fails(kernel, driver, REPRISE_BAD_ADDRESS, REPRISE_PROTECT, somewhere, page_size,
              read_write));
  CHECK(fails(kernel, driver, REPRISE_OCCUPIED, REPRISE_MAP_DEVICE, somewhere, page_size, start));
  const std::uint64_t to = somewhere + 4 * page_size;
  const auto map_device = [&](reprise_error error, std::uint64_t bytes, std::uint64_t from) {
    return fails(kernel, driver, error, REPRISE_MAP_DEVICE, to, bytes, from);
  };
  CHECK(map_device(REPRISE_BAD_ARGUMENT, page_size, start + 1));
  CHECK(map_device(REPRISE_BAD_ARGUMENT, 2 * page_size, round_down(all_ones)));
  CHECK(map_device(REPRISE_NOT_GRANTED, 3 * page_size, start));
  CHECK(map_device(REPRISE_NOT_GRANTED, page_size, start - page_size));
  CHECK(map_device(REPRISE_NOT_GRANTED, page_size, last + 1));
  CHECK(fails(kernel, program, REPRISE_NOT_GRANTED, REPRISE_MAP_DEVICE, to, page_size, start));
}

TEST_CASE_METHOD(Fixture, "init may map every device, and no memory of the kernel's") {
  Process& init = kernel.init();
  CHECK(kernel.call(init, REPRISE_MAP_DEVICE, somewhere, page_size, fakes::device_start) == 0);
  CHECK(fails(kernel, init, REPRISE_NOT_GRANTED, REPRISE_MAP_DEVICE, somewhere + page_size,
              page_size, fakes::first_frame * page_size));
}

TEST_CASE_METHOD(Fixture, "DEVICE_WRITE copies readable bytes into granted device memory only") {
  constexpr std::uint64_t start = fakes::device_start, last = start + 2 * page_size - 1;
  Process& driver =
      kernel.start(granted({{.kind = REPRISE_GRANT_MEMORY, .first = start, .last = last}}));
  const std::string text = "pixels";
  kernel.put_bytes(driver, data + page_size - 3, std::as_bytes(std::span{text}));
  const auto write = [&](std::uint64_t to, std::uint64_t from, std::uint64_t bytes) {
    return kernel.call(driver, REPRISE_DEVICE_WRITE, to, from, bytes);
  };
  CHECK(write(last - 5, data + page_size - 3, 6) == 0);
  const auto* const device = reinterpret_cast<const char*>(fakes::hardware.device.data());
  CHECK(std::string_view(device + 2 * page_size - 6, 6) == text);
  const auto before = fakes::hardware.device;
  CHECK(write(start, data, 0) == -REPRISE_BAD_ARGUMENT);
  CHECK(write(start, data, (1 << 20) + 1) == -REPRISE_BAD_ARGUMENT);
  CHECK(write(start, data, all_ones) == -REPRISE_BAD_ARGUMENT);
  CHECK(write(last, data, 2) == -REPRISE_NOT_GRANTED);
  CHECK(write(start - 1, data, 2) == -REPRISE_NOT_GRANTED);
  CHECK(write(all_ones, data, 2) == -REPRISE_NOT_GRANTED);
  CHECK(write(start, kernel_half, 2) == -REPRISE_BAD_ADDRESS);
  CHECK(write(start, somewhere, 2) == -REPRISE_BAD_ADDRESS);
  CHECK(fakes::hardware.device == before);
  CHECK(fails(kernel, program, REPRISE_NOT_GRANTED, REPRISE_DEVICE_WRITE, start, data, 1));
}
