#include "kernel/process/process_table.hpp"

#include <set>
#include <stdexcept>
#include <vector>

#include "tests/catch.hpp"
#include "tests/kernel/whole_kernel/kernel.hpp"

using namespace reprise;

namespace {

constexpr std::uint64_t program_page = fakes::data;
constexpr std::uint64_t secret = 0x5ec2e75ec2e75ec2;

// Processes that come and go on a whole machine.
class Population {
public:
  fakes::Kernel& kernel() { return kernel_; }
  Machine& machine() { return kernel_.machine(); }
  ProcessTable& table() { return kernel_.machine().processes; }

  Process& start() { return kernel_.start(); }
  Process& start(const ProgramRequest& request) { return kernel_.start(request); }
  std::int64_t try_start() {
    const auto process = machine().start({.module = fakes::program_module}, {});
    return process ? static_cast<std::int64_t>(process.value()->number())
                   : -static_cast<std::int64_t>(process.error());
  }
  void end(Process& process) { machine().end(process, 0); }
  void remove(Process& process) {
    end(process);
    table().remove(process);
  }
  void fill() {
    while (!table().full()) start();
  }

private:
  fakes::Kernel kernel_;
};

std::vector<std::uint64_t> numbers_in(const ProcessTable& table) {
  std::vector<std::uint64_t> numbers;
  for (std::size_t i = 0; i < table.size(); ++i) numbers.push_back(table[i].number());
  return numbers;
}

}  // namespace

TEST_CASE("processes are numbered from 1 in the order in which they start") {
  Population population;
  CHECK(population.kernel().init().number() == init_number);
  for (std::uint64_t number = 2; number < 10; ++number) {
    CHECK(population.table().next_number() == number);
    CHECK(population.start().number() == number);
  }
  CHECK(numbers_in(population.table()) == std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9});
}

TEST_CASE("a removed process is found no more, and all others are") {
  Population population;
  std::vector<Process*> all{&population.kernel().init()};
  for (int i = 0; i < 9; ++i) all.push_back(&population.start());
  for (const std::size_t index : {4, 1, 9, 5}) {  // in the middle, first, last, middle again
    population.remove(*all[index]);
    all[index] = nullptr;
    for (std::size_t i = 0; i < all.size(); ++i) CHECK(population.table().find(i + 1) == all[i]);
  }
  CHECK(numbers_in(population.table()) == std::vector<std::uint64_t>{1, 3, 4, 7, 8, 9});
}

TEST_CASE("numbers that were never given, or not yet, are nobody's") {
  Population population;
  population.start();
  for (const std::uint64_t number : {0ul, 3ul, 64ul, 65ul, ~0ul, 1ul << 63}) {
    CHECK(population.table().find(number) == nullptr);
  }
}

TEST_CASE("the place of a removed process serves the next one, under a number of its own") {
  Population population;
  Process& first = population.start();
  population.start();
  const void* const place = &first;
  population.remove(first);
  Process& next = population.start();
  CHECK(&next == place);
  CHECK(next.number() == 4);
  CHECK(population.table().find(2) == nullptr);
  CHECK(population.table().find(4) == &next);
}

TEST_CASE("nothing of the process that was there before is left in a place") {
  Population population;
  ProgramRequest request{.module = fakes::program_module, .priority = 5};
  request.grant_count = 2;
  request.grants[0] = {.kind = REPRISE_GRANT_LOG, .first = 0, .last = 0};
  request.grants[1] = {.kind = REPRISE_GRANT_INTERRUPT, .first = 4, .last = 4};
  Process& first = population.start(request);
  population.kernel().put(first, program_page, secret);
  population.kernel().call(first, REPRISE_ALARM, 77);
  population.kernel().call(first, REPRISE_SET_HANDLER, REPRISE_HANDLER_EXCEPTION, fakes::entry,
                           program_page);
  CHECK(first.context().injector.plan({.process = first.number()}));
  population.machine().ipc.notify(first, REPRISE_NOTE_LOG);
  population.remove(first);

  Process& next = population.start();
  REQUIRE(&next == &first);
  const Context& context = next.context();
  CHECK(context.status == ContextStatus::Ready);
  CHECK(context.mailbox.alarm == Mailbox::never);
  CHECK(context.mailbox.notes == 0);
  CHECK(context.exception_handler.entry == UserAddr{});
  CHECK(context.figures.elements == 0);
  CHECK_FALSE(next.ending.reported);
  CHECK_FALSE(next.sends_log());
  CHECK(next.grants().lines() == 0);
  CHECK_FALSE(next.context().injector.take_known());
  CHECK(population.kernel().get<std::uint64_t>(next, program_page) != secret);
}

TEST_CASE("a table that is full takes a process again once one was removed, not when it ended") {
  Population population;
  population.fill();
  CHECK(population.table().size() == most_processes);
  CHECK(population.try_start() == -REPRISE_BAD_ARGUMENT);
  Process& one = population.table()[17];
  population.end(one);
  CHECK(population.try_start() == -REPRISE_BAD_ARGUMENT);
  population.table().remove(one);
  CHECK(population.try_start() == most_processes + 1);
  CHECK(population.table().full());
}

TEST_CASE("a thousand processes in a table of 64 leave as many free frames as there were") {
  Population population;
  population.fill();
  while (population.table().size() > 1) population.remove(population.table()[1]);
  const std::uint64_t free_frames = population.kernel().free_frames();
  std::set<std::uint64_t> numbers;
  std::uint64_t random = 12345;
  for (int i = 0; i < 1000; ++i) {
    Process& process = population.start();
    CHECK(numbers.insert(process.number()).second);
    population.kernel().put(process, program_page, std::uint64_t{1});
    random = random * 6364136223846793005 + 1442695040888963407;
    const std::size_t victim = 1 + (random >> 33) % (population.table().size() - 1);
    if (population.table().full() || random >> 62 == 0) {
      population.remove(population.table()[victim]);
    }
  }
  CHECK(population.table().size() > 30);
  while (population.table().size() > 1) population.remove(population.table()[1]);
  CHECK(population.kernel().free_frames() == free_frames);
  CHECK(population.table().next_number() == most_processes + 1001);
}

TEST_CASE("a thousand processes, one after the other, take the place of one") {
  Population population;
  population.remove(population.start());
  const std::uint64_t free_frames = population.kernel().free_frames();
  for (std::uint64_t number = 3; number < 1003; ++number) {
    Process& process = population.start();
    CHECK(process.number() == number);
    CHECK(population.table().find(number) == &process);
    population.remove(process);
    CHECK(population.kernel().free_frames() == free_frames);
  }
}

TEST_CASE("a process that ends gives its memory back at once, and stays in the table") {
  Population population;
  population.remove(population.start());
  const std::uint64_t free_frames = population.kernel().free_frames();
  Process& process = population.start();
  population.kernel().put(process, program_page, std::uint64_t{1});
  const std::uint64_t held = free_frames - population.kernel().free_frames();
  population.end(process);
  const std::uint64_t kept = free_frames - population.kernel().free_frames();
  CHECK(held > 4);
  CHECK(kept == 1);  // the root of its page table
  CHECK(population.table().find(process.number()) == &process);
  CHECK(process.has_ended());
}

TEST_CASE("without memory for a process nothing starts, no frame is lost and no number is taken") {
  const bool place_is_there = GENERATE(true, false);
  Population population;
  if (place_is_there) population.remove(population.start());
  const std::uint64_t free_frames = population.kernel().free_frames();
  const std::uint64_t number = population.table().next_number();
  std::uint64_t frames = 0;
  population.kernel().leave_frames(frames);
  while (population.try_start() == -REPRISE_NO_MEMORY) {
    CHECK(population.kernel().free_frames() == free_frames);
    CHECK(population.table().next_number() == number);
    CHECK(population.table().size() == 1);
    ++frames;
    population.kernel().leave_frames(frames);
  }
  CHECK(population.table().find(number) != nullptr);
  CHECK(frames == free_frames - population.kernel().free_frames());
  const std::uint64_t place = place_is_there ? 0 : round_up(sizeof(Process)) / page_size;
  CHECK(frames > place + 4);
}

TEST_CASE("only an ended process of the table can be removed") {
  Population population;
  Process& running = population.start();
  CHECK_THROWS_AS(population.table().remove(running), std::logic_error);
  CHECK(population.table().find(running.number()) == &running);
  population.remove(running);
  CHECK_THROWS_AS(population.table().remove(running), std::logic_error);
}
