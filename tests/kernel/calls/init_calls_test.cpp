// The calls of init, with good and with bad arguments. Init is believed no more than any program:
// a bad argument is an error, and a call that fails has changed nothing.
#include <string_view>

#include "kernel/context/element.hpp"
#include "tests/catch.hpp"
#include "tests/kernel/whole_kernel/kernel.hpp"

using namespace reprise;
using fakes::data;
using fakes::fails;
using fakes::Kernel;
using fakes::somewhere;

namespace {

constexpr std::uint64_t kernel_half = 0xffff800000000000, all_ones = ~0ul;
constexpr std::uint64_t constants = REPRISE_IMAGE_BASE + page_size;

struct Fixture {
  Kernel kernel;
  Process& init = kernel.init();
  Process& program = kernel.start();

  template <class T>
  std::int64_t give(std::uint64_t number, const T& argument) {
    kernel.put(init, data, argument);
    return kernel.call(init, number, data);
  }
  template <class T>
  bool refuses(std::uint64_t number, const T& argument,
               reprise_error error = REPRISE_BAD_ARGUMENT) {
    kernel.put(init, data, argument);
    return fails(kernel, init, error, number, data);
  }
};

Injection flip_of(const Process& process) {
  Injection flip;
  flip.process = process.number();
  return flip;
}

}  // namespace

TEST_CASE_METHOD(Fixture, "no call of init's takes an argument that cannot be read, or written") {
  for (const std::uint64_t number : {REPRISE_CONFIGURE, REPRISE_COUNTER, REPRISE_INJECT,
                                     REPRISE_START, REPRISE_INTERRUPTS, REPRISE_PROBE}) {
    for (const std::uint64_t bad : {1ul, kernel_half, somewhere, all_ones - 3, user_high - 1})
      CHECK(fails(kernel, init, REPRISE_BAD_ADDRESS, number, bad));
  }
  for (const std::uint64_t number : {REPRISE_MACHINE, REPRISE_NEWS, REPRISE_PROBE}) {
    for (const std::uint64_t bad : {1ul, kernel_half, constants, all_ones - 3, user_high - 1})
      CHECK(fails(kernel, init, REPRISE_BAD_ADDRESS, number, bad));
  }
  for (const std::uint64_t bad : {0ul, kernel_half, constants, all_ones - 3})
    CHECK(fails(kernel, init, REPRISE_BAD_ADDRESS, REPRISE_STATUS, 2, bad));
}

TEST_CASE_METHOD(Fixture, "CONFIGURE takes the bounds of the settings' table and nothing beyond") {
  KernelSettings good = default_settings();
  CHECK(give(REPRISE_CONFIGURE, good) == 0);
  std::apply(
      [&](const auto&... row) {
        const auto check = [&](const auto& r) {
          if constexpr (requires { r.low; }) {
            for (const std::uint64_t value : {r.low, r.high}) {
              KernelSettings settings = default_settings();
              settings.*r.member = value * r.scale;
              CHECK(give(REPRISE_CONFIGURE, settings) == 0);
              CHECK(kernel.machine().settings.*r.member == value * r.scale);
            }
            CHECK(give(REPRISE_CONFIGURE, good) == 0);
            for (const std::uint64_t value : {r.low * r.scale - 1, r.high * r.scale + 1}) {
              KernelSettings settings = default_settings();
              settings.*r.member = value;
              CHECK(refuses(REPRISE_CONFIGURE, settings));
              CHECK(kernel.machine().settings.*r.member == good.*r.member);
            }
          } else {
            KernelSettings settings = default_settings();
            settings.*r.member = static_cast<decltype(r.fallback)>(r.words.size());
            CHECK(refuses(REPRISE_CONFIGURE, settings));
            CHECK(kernel.machine().settings.*r.member == good.*r.member);
          }
        };
        (check(row), ...);
      },
      kernel_settings);
  good.serial_output = static_cast<SerialOutput>(2);
  CHECK(refuses(REPRISE_CONFIGURE, good));
}

TEST_CASE_METHOD(Fixture,
                 "CONFIGURE withholds the serial output, and new programs run as it says") {
  KernelSettings settings = default_settings();
  settings.serial_output = SerialOutput::Withheld;
  fakes::hardware.emergency.clear();
  CHECK(give(REPRISE_CONFIGURE, settings) == 0);
  kernel.machine().log.write("unseen");
  CHECK(fakes::hardware.emergency.empty());
  settings.serial_output = SerialOutput::Written;
  CHECK(give(REPRISE_CONFIGURE, settings) == 0);
  kernel.machine().log.write("seen");
  CHECK(fakes::hardware.emergency == "seen");
}

TEST_CASE_METHOD(Fixture, "CONFIGURE starts the second serial port for a timeline, and only then") {
  KernelSettings settings = default_settings();
  CHECK(give(REPRISE_CONFIGURE, settings) == 0);
  CHECK_FALSE(fakes::hardware.second_serial);
  settings.timeline = Timeline::Com2;
  CHECK(give(REPRISE_CONFIGURE, settings) == 0);
  CHECK(fakes::hardware.second_serial == "reprise-timeline 2\n");
}

TEST_CASE("CLOCK sets possible rates, and only while init is alone") {
  Kernel kernel;
  Process& init = kernel.init();
  fakes::hardware.stamp = 1000;
  fakes::hardware.longest_hold = 9;
  const auto refuses = [&](std::uint64_t stamp_hertz, std::uint64_t timer_hertz,
                           std::uint64_t stamp) {
    return fails(kernel, init, REPRISE_BAD_ARGUMENT, REPRISE_CLOCK, stamp_hertz, timer_hertz,
                 stamp);
  };
  CHECK(refuses(slowest_clock - 1, slowest_clock, 0));
  CHECK(refuses(slowest_clock, fastest_clock + 1, 0));
  CHECK(refuses(0, 0, 0));
  CHECK(refuses(all_ones, all_ones, 0));
  CHECK(refuses(slowest_clock, slowest_clock, 1001));
  CHECK(fakes::hardware.clock[0] == 0);
  CHECK(kernel.call(init, REPRISE_CLOCK, slowest_clock, fastest_clock, 1000) == 0);
  CHECK(fakes::hardware.clock == std::array<std::uint64_t, 3>{slowest_clock, fastest_clock, 1000});
  CHECK(fakes::hardware.longest_hold == 0);
  kernel.start();
  CHECK(refuses(slowest_clock, fastest_clock, 1000));
}

TEST_CASE_METHOD(Fixture,
                 "COUNTER uses a counter that exists and whose figures are within bounds") {
  CounterSettings settings{.kind = CounterKind::PmuIntel, .margin = 5};
  kernel.machine().longest_pe = Nanoseconds{7};
  CHECK(refuses(REPRISE_COUNTER, settings, REPRISE_NOT_GRANTED));
  fakes::hardware.counters.insert(CounterKind::PmuIntel);
  settings.margin = (1 << 20) + 1;
  CHECK(refuses(REPRISE_COUNTER, settings));
  settings.margin = 5;
  settings.corrections.stop = -1;
  CHECK(refuses(REPRISE_COUNTER, settings));
  CHECK(refuses(REPRISE_COUNTER, CounterSettings{.kind = static_cast<CounterKind>(4)}));
  CHECK(kernel.machine().longest_pe.value() == 7);
  CHECK(fakes::hardware.counter.kind == CounterKind::Landmark);
  settings.corrections.stop = 0;
  CHECK(give(REPRISE_COUNTER, settings) == 0);
  CHECK(fakes::hardware.counter.margin == 5);
  CHECK(kernel.machine().longest_pe.value() == 0);
}

TEST_CASE_METHOD(Fixture,
                 "PROBE runs init's code once and answers with its registers and its end") {
  CounterProbe probe;
  probe.time = 1000;
  probe.registers.rip = fakes::entry;
  probe.registers.rbx = 5;
  fakes::hardware.ring_3 = [](arch::UserState& state) {
    CHECK(fakes::hardware.timer == 1000);
    state[arch::Register::Rbx] += 1;
    fakes::hardware.count = 33;
    return fakes::system_call();
  };
  CHECK(give(REPRISE_PROBE, probe) == 0);
  const auto after = kernel.get<CounterProbe>(init, data);
  CHECK(after.ending == CounterProbe::Ending::SystemCall);
  CHECK(after.registers.rbx == 6);
  CHECK(after.count == 33);
  CHECK(fakes::hardware.entries == 1);
  CHECK(fakes::hardware.timer == 0);
}

TEST_CASE_METHOD(Fixture, "a PROBE that is refused enters no code") {
  CounterProbe probe;
  for (const std::uint64_t time : {0ul, 1'000'000'001ul, all_ones}) {
    probe.time = time;
    CHECK(refuses(REPRISE_PROBE, probe));
  }
  probe.time = 1;
  probe.counter.kind = CounterKind::PmuAmd;
  CHECK(refuses(REPRISE_PROBE, probe, REPRISE_NOT_GRANTED));
  CHECK(fakes::hardware.entries == 0);
}

TEST_CASE_METHOD(Fixture, "MACHINE tells of memory, modules and what the boot loader left") {
  kernel.call(init, REPRISE_MACHINE, data);  // its page gets a frame
  fakes::hardware.longest_hold = 11;
  kernel.machine().longest_pe = Nanoseconds{12};
  kernel.machine().flips.settled = {13, 14, 15};
  fakes::hardware.timer_hertz = 16;
  CHECK(kernel.call(init, REPRISE_MACHINE, data) == 0);
  const auto report = kernel.get<MachineReport>(init, data);
  CHECK(report.total_memory == fakes::usable_frames * page_size);
  CHECK(report.free_memory == kernel.free_frames() * page_size);
  CHECK(report.modules == 5);
  CHECK(report.longest_wait == 11);
  CHECK(report.longest_pe == 12);
  CHECK(report.flips == FlipCounts{13, 14, 15});
  CHECK(report.timer_hertz == 16);
  CHECK(report.boot_address == fakes::firmware_start);
  CHECK(report.boot_bytes == 0x1000);
}

TEST_CASE_METHOD(Fixture, "PHYSICAL_READ reads what is not the kernel's, at most 64 KiB at once") {
  fakes::hardware.firmware[5] = std::byte{42};
  kernel.map(init, somewhere, 16);
  constexpr std::uint64_t start = fakes::firmware_start;
  CHECK(kernel.call(init, REPRISE_PHYSICAL_READ, start, somewhere, most_physical_bytes) == 0);
  CHECK(kernel.get<std::uint8_t>(init, somewhere + 5) == 42);
  const auto refuses_read = [&](reprise_error error, std::uint64_t from, std::uint64_t to,
                                std::uint64_t bytes) {
    return fails(kernel, init, error, REPRISE_PHYSICAL_READ, from, to, bytes);
  };
  CHECK(refuses_read(REPRISE_BAD_ARGUMENT, start, somewhere, most_physical_bytes + 1));
  CHECK(refuses_read(REPRISE_BAD_ARGUMENT, start, somewhere, all_ones));
  CHECK(refuses_read(REPRISE_NOT_GRANTED, fakes::first_frame * page_size, somewhere, 8));
  CHECK(refuses_read(REPRISE_NOT_GRANTED, all_ones - 3, somewhere, 8));
  CHECK(refuses_read(REPRISE_NOT_GRANTED, start + fakes::firmware_bytes - 4, somewhere, 8));
  CHECK(refuses_read(REPRISE_BAD_ADDRESS, start, constants, 8));
  CHECK(refuses_read(REPRISE_BAD_ADDRESS, start, kernel_half, 8));
  CHECK(refuses_read(REPRISE_BAD_ADDRESS, start, somewhere + 16 * page_size - 4, 8));
}

TEST_CASE_METHOD(Fixture, "START refuses what is no program, and takes no frame for it") {
  const ProgramRequest good{.module = fakes::program_module};
  const auto with = [&](auto change) {
    ProgramRequest request = good;
    change(request);
    return request;
  };
  CHECK(refuses(REPRISE_START, with([](auto& r) { r.module = 5; })));
  CHECK(refuses(REPRISE_START, with([](auto& r) { r.module = all_ones; })));
  CHECK(refuses(REPRISE_START, with([](auto& r) { r.archive = 5; })));
  CHECK(refuses(REPRISE_START, with([](auto& r) { r.priority = highest_priority + 1; })));
  CHECK(refuses(REPRISE_START, with([](auto& r) { r.grant_count = most_grants + 1; })));
  CHECK(refuses(REPRISE_START, with([](auto& r) { r.grant_count = all_ones; })));
  CHECK(refuses(REPRISE_START, with([](auto& r) { r.string_bytes = most_string_bytes + 1; })));
  CHECK(refuses(REPRISE_START, with([](auto& r) { r.string_bytes = 1; }), REPRISE_BAD_ADDRESS));
  const auto grant = [&](reprise_grant g) {
    return with([&](auto& r) {
      r.grant_count = 1;
      r.grants[0] = g;
    });
  };
  constexpr std::uint64_t memory = fakes::first_frame * page_size;
  CHECK(refuses(REPRISE_START, grant({REPRISE_GRANT_MEMORY, memory, memory}), REPRISE_NOT_GRANTED));
  CHECK(refuses(REPRISE_START, grant({REPRISE_GRANT_MEMORY, 0, all_ones}), REPRISE_NOT_GRANTED));
  CHECK(refuses(REPRISE_START, grant({REPRISE_GRANT_INTERRUPT, 0, 32}), REPRISE_NOT_GRANTED));
  CHECK(refuses(REPRISE_START, grant({REPRISE_GRANT_INTERRUPT, 0, all_ones}), REPRISE_NOT_GRANTED));
  CHECK(fakes::hardware.connected == 0);
}

TEST_CASE_METHOD(Fixture, "START without memory for the program takes no frame") {
  ProgramRequest request{.module = fakes::program_module};
  kernel.put(init, data, request);
  // Everything but the last few frames is in use: init's own stay free.
  for (const std::uint64_t left : {1ul, 5ul, 12ul, 20ul}) {
    Machine& machine = kernel.machine();
    machine.frames.set_reserve(0);
    std::vector<FrameNumber> taken;
    while (machine.frames.free_frames() > frames_for_init + left)
      taken.push_back(machine.frames.allocate().value());
    CHECK(fails(kernel, init, REPRISE_NO_MEMORY, REPRISE_START, data));
    machine.frames.set_reserve(0);
    for (const FrameNumber frame : taken) machine.frames.release(frame);
  }
}

TEST_CASE_METHOD(Fixture,
                 "a program is entered at the personality's entry, with the start block it needs") {
  const std::string_view strings{"name\0A=1\0", 9};
  kernel.put_bytes(init, data + page_size, std::as_bytes(std::span{strings}));
  const ProgramRequest request{.module = fakes::program_module,
                               .archive = fakes::archive_module,
                               .strings = data + page_size,
                               .string_bytes = 9,
                               .argument_count = 1,
                               .environment_count = 1};
  CHECK(give(REPRISE_START, request) == 3);
  const Process& started = *kernel.machine().processes.find(3);
  CHECK(Kernel::word(started, arch::Register::Rip) == fakes::entry);
  const auto block = kernel.get<reprise_start>(started, Kernel::word(started, arch::Register::Rdi));
  CHECK(block.process == 3);
  CHECK(block.file_bytes == fakes::program_file_pages * page_size);
  CHECK(block.archive_address == archive_base);
  CHECK(block.argument_count == 1);
  CHECK(kernel.get<std::uint32_t>(started, block.strings) == 0x656d616e);
}

TEST_CASE_METHOD(Fixture, "NEWS tells of each end once, and RELEASE waits for that") {
  CHECK(kernel.call(init, REPRISE_NEWS, data) == 0);
  CHECK(fails(kernel, init, REPRISE_BAD_ARGUMENT, REPRISE_RELEASE, 2));
  CHECK(kernel.call(init, REPRISE_END, 2, 0x1ff) == 0);
  CHECK(program.ending.status == 0xff);
  CHECK(fails(kernel, init, REPRISE_BAD_ARGUMENT, REPRISE_RELEASE, 2));
  CHECK(kernel.call(init, REPRISE_NEWS, data) == 2);
  CHECK(kernel.call(init, REPRISE_NEWS, data) == 0);
  CHECK(kernel.call(init, REPRISE_RELEASE, 2) == 0);
  CHECK(kernel.machine().processes.find(2) == nullptr);
  for (const std::uint64_t nobody : {0ul, 1ul, 2ul, 3ul, all_ones})
    CHECK(fails(kernel, init, REPRISE_BAD_ARGUMENT, REPRISE_RELEASE, nobody));
}

TEST_CASE_METHOD(Fixture, "many times more programs than there are places run one after another") {
  const ProgramRequest request{.module = fakes::program_module};
  kernel.call(init, REPRISE_END, 2, 0);  // its place serves the first one
  REQUIRE(kernel.call(init, REPRISE_NEWS, data) == 2);
  REQUIRE(kernel.call(init, REPRISE_RELEASE, 2) == 0);
  const std::uint64_t before = kernel.free_frames();
  for (std::int64_t number = 3; number < 3 + 4 * static_cast<int>(most_processes); ++number) {
    REQUIRE(give(REPRISE_START, request) == number);
    Process& started = *kernel.machine().processes.find(static_cast<std::uint64_t>(number));
    kernel.map(started, somewhere, 3);
    kernel.put(started, somewhere, number);
    REQUIRE(kernel.call(started, REPRISE_EXIT, 0) == 0);
    REQUIRE(kernel.call(init, REPRISE_NEWS, data) == number);
    REQUIRE(kernel.call(init, REPRISE_RELEASE, static_cast<std::uint64_t>(number)) == 0);
  }
  CHECK(kernel.free_frames() == before);
  CHECK(kernel.machine().processes.size() == 1);
}

TEST_CASE_METHOD(Fixture, "END ends no process twice, and never init") {
  for (const std::uint64_t number : {0ul, 1ul, 3ul, all_ones})
    CHECK(fails(kernel, init, REPRISE_BAD_ARGUMENT, REPRISE_END, number, 0));
  CHECK(kernel.call(init, REPRISE_END, 2, 1) == 0);
  CHECK(fails(kernel, init, REPRISE_BAD_ARGUMENT, REPRISE_END, 2, 2));
  CHECK(program.ending.status == 1);
}

TEST_CASE_METHOD(Fixture, "STATUS reports on every process that exists, living or ended") {
  CHECK(kernel.call(init, REPRISE_STATUS, 2, data) == 0);
  CHECK(kernel.get<ProcessReport>(init, data).ended == 0);
  kernel.call(program, REPRISE_EXIT, 9);
  CHECK(kernel.call(init, REPRISE_STATUS, 2, data) == 0);
  const auto report = kernel.get<ProcessReport>(init, data);
  CHECK(report.ended == 1);
  CHECK(report.exit_status == 9);
  CHECK(report.hardened == 1);
  for (const std::uint64_t nobody : {0ul, 3ul, all_ones})
    CHECK(fails(kernel, init, REPRISE_BAD_ARGUMENT, REPRISE_STATUS, nobody, data));
}

TEST_CASE_METHOD(Fixture, "STATUS tells each figure in its own place") {
  unsigned runs = 0;
  fakes::hardware.counter.margin = 9;
  fakes::hardware.ring_3 = [&](arch::UserState& state) {
    ++runs;
    if (runs == 2) state[arch::Register::R15] = 10;  // a flip
    return fakes::system_call();
  };
  REQUIRE(ElementRunner{program.context()}.run(Nanoseconds{1}));
  ContextFigures& figures = program.context().figures;
  program.ending = {.status = 11, .refusal = 12};
  figures.last_end = {.kind = dwc::PeEnd::Kind::Exception, .vector = 13};
  figures.refused = {.reason = AccessRefusal::Reason::Unsupported, .first = 14, .last = 15};
  figures.standing = true;
  figures.elements = 16;
  figures.user_time = 17;
  for (std::size_t i = 0; i < figures.code.size(); ++i) figures.code[i].count = 18 + i;
  kernel.set_register(program, arch::Register::Rip, somewhere + 21);
  CHECK(kernel.call(init, REPRISE_STATUS, 2, data) == 0);
  const auto report = kernel.get<ProcessReport>(init, data);
  CHECK(report.ended == 0);
  CHECK(report.exit_status == 11);
  CHECK(report.refusal == 12);
  CHECK(report.last_end == figures.last_end);
  CHECK(report.refused.reason == AccessRefusal::Reason::Unsupported);
  CHECK(report.refused.first == 14);
  CHECK(report.refused.last == 15);
  CHECK(report.standing == 1);
  CHECK(report.elements == 16);
  CHECK(report.user_time == 17);
  for (std::size_t i = 0; i < figures.code.size(); ++i) CHECK(report.code[i].count == 18 + i);
  CHECK(report.rip == somewhere + 21);
  CHECK(report.hardened == 1);
  CHECK(report.margin == 9);
  CHECK(report.statistics.first_runs == 2);
  CHECK(report.statistics.committed == 1);
  REQUIRE(report.diagnosis.registers.total() == 1);
  CHECK(report.diagnosis.registers.items()[0].second == 10);
}

TEST_CASE_METHOD(Fixture, "STATUS tells nothing of an engine that is not there") {
  Process& once = kernel.start({.module = fakes::program_module, .hardened = 0});
  CHECK(kernel.call(init, REPRISE_STATUS, once.number(), data) == 0);
  const auto report = kernel.get<ProcessReport>(init, data);
  CHECK(report.hardened == 0);
  CHECK(report.standing == 0);
}

TEST_CASE_METHOD(Fixture, "INJECT plans what can strike and refuses all else") {
  const auto with = [&](auto change) {
    Injection flip = flip_of(program);
    change(flip);
    return flip;
  };
  using Moment = Injection::Moment;
  CHECK(give(REPRISE_INJECT, flip_of(program)) == 0);
  CHECK(refuses(REPRISE_INJECT, with([](auto& f) { f.process = 3; })));
  CHECK(refuses(REPRISE_INJECT, with([](auto& f) { f.process = all_ones; })));
  CHECK(refuses(REPRISE_INJECT, with([](auto& f) { f.run = 0; })));
  CHECK(refuses(REPRISE_INJECT, with([](auto& f) { f.run = 3; })));
  CHECK(refuses(REPRISE_INJECT, with([](auto& f) { f.bit = 64; })));
  CHECK(refuses(REPRISE_INJECT, with([](auto& f) { f.word = program_register_words; })));
  CHECK(refuses(REPRISE_INJECT, with([](auto& f) {
                  f.target = Injection::Target::Page;
                  f.word = words_per_page;
                })));
  CHECK(refuses(REPRISE_INJECT, with([](auto& f) { f.offset = 1; })));
  CHECK(refuses(REPRISE_INJECT, with([](auto& f) { f.moment = Moment::Offset; })));
  CHECK(refuses(REPRISE_INJECT, with([](auto& f) { f.moment = static_cast<Moment>(3); })));
  CHECK(
      refuses(REPRISE_INJECT, with([](auto& f) { f.target = static_cast<Injection::Target>(5); })));
  Process& once = kernel.start({.module = fakes::program_module, .hardened = 0});
  CHECK(refuses(REPRISE_INJECT, flip_of(once)));
}

TEST_CASE_METHOD(Fixture,
                 "INJECT fills the table of a process, and 0 forgets all that has not struck") {
  for (std::size_t i = 0; i < most_injections; ++i)
    REQUIRE(give(REPRISE_INJECT, flip_of(program)) == 0);
  CHECK(refuses(REPRISE_INJECT, flip_of(program), REPRISE_NO_MEMORY));
  CHECK(give(REPRISE_INJECT, flip_of(init)) == 0);
  CHECK(kernel.call(init, REPRISE_INJECT, 0) == 0);
  CHECK(give(REPRISE_INJECT, flip_of(program)) == 0);
}

TEST_CASE_METHOD(Fixture, "SHUTDOWN leaves the machine with init's code, or restarts it") {
  const auto code = [&] {
    try {
      kernel.call(init, REPRISE_SHUTDOWN, 0, 0x10);
    } catch (const fakes::Exited& exited) {
      return static_cast<int>(exited.code);
    }
    return 0;
  };
  CHECK(code() == 0x10);
  CHECK_THROWS_AS(kernel.call(init, REPRISE_SHUTDOWN, 1), fakes::WasReset);
  CHECK(fails(kernel, init, REPRISE_BAD_ARGUMENT, REPRISE_SHUTDOWN, 3));
  CHECK(fails(kernel, init, REPRISE_BAD_ARGUMENT, REPRISE_SHUTDOWN, all_ones));
}

TEST_CASE_METHOD(Fixture, "SHUTDOWN tells whether each reader of the log has sent all and waits") {
  ProgramRequest request{.module = fakes::program_module};
  request.grant_count = 1;
  request.grants[0] = {REPRISE_GRANT_LOG, 0, 0};
  Process& reader = kernel.start(request);
  CHECK(kernel.call(init, REPRISE_SHUTDOWN, 2) == 1);
  kernel.call(reader, REPRISE_LOG_READ, data, 100, 0);
  CHECK(kernel.call(init, REPRISE_SHUTDOWN, 2) == 0);  // it does not wait yet
  kernel.call(reader, REPRISE_RECEIVE);
  CHECK(kernel.call(init, REPRISE_SHUTDOWN, 2) == 1);
  kernel.machine().log.write("more");
  CHECK(kernel.call(init, REPRISE_SHUTDOWN, 2) == 0);
}

TEST_CASE_METHOD(Fixture, "INTERRUPTS admits once") {
  CHECK(give(REPRISE_INTERRUPTS, InterruptControllers{}) == (24 | std::int64_t{1} << 32));
  CHECK(refuses(REPRISE_INTERRUPTS, InterruptControllers{}));
}

TEST_CASE_METHOD(Fixture, "the end of init is the machine's end, with the reason as its code") {
  const auto code = [&](std::uint64_t number, std::uint64_t argument) {
    try {
      kernel.call(init, number, argument);
    } catch (const fakes::Exited& exited) {
      return static_cast<int>(exited.code);
    }
    return 0;
  };
  const bool refuses_file = GENERATE(false, true);
  if (refuses_file) {
    CHECK(code(REPRISE_REFUSE, 4) == first_boot_error + 4);
  } else {
    CHECK(code(REPRISE_EXIT, 3) == static_cast<int>(ExitCode::Panic));
  }
  CHECK(fakes::hardware.emergency.find("reprise: init-ended status=") != std::string::npos);
}
