#include "kernel/schedule/scheduler.hpp"

#include <map>
#include <string>

#include "tests/catch.hpp"
#include "tests/kernel/whole_kernel/kernel.hpp"

using namespace reprise;

namespace {

constexpr std::uint64_t limit = 200;  // nanoseconds of a whole PE
constexpr std::uint64_t quantum = 2;  // PEs of a turn
constexpr std::uint64_t longest_idle = Scheduler::longest_idle;

// Processes a, b, c, ... as the scheduler sees them, and what it makes of them, PE for PE. Init
// waits for a message that never comes, unless the test says otherwise.
class Schedule {
public:
  Schedule() {
    settings_.quantum = quantum;
    settings_.pe_limit = limit;
    status(kernel_.init(), ContextStatus::Receiving);
  }

  Process& init() { return kernel_.init(); }
  Process& add(unsigned priority = 0) {
    return kernel_.start({.module = fakes::program_module, .priority = priority});
  }
  Process& add_log_driver(unsigned priority = 0) {
    ProgramRequest request{.module = fakes::program_module, .priority = priority};
    request.grant_count = 1;
    request.grants[0] = {.kind = REPRISE_GRANT_LOG, .first = 0, .last = 0};
    return kernel_.start(request);
  }
  void status(Process& process, ContextStatus status) { process.context().status = status; }
  void sleep_until(Process& process, std::uint64_t time) {
    status(process, ContextStatus::Sleeping);
    process.context().wake_at = Nanoseconds{time};
  }
  void receive_until(Process& process, std::uint64_t alarm) {
    status(process, ContextStatus::Receiving);
    process.context().mailbox.alarm = Nanoseconds{alarm};
  }
  // What each of its PEs costs from now on.
  void set_cost(const Process& process, std::uint64_t cost) { costs_[process.number()] = cost; }

  // 0: somebody can run now.
  std::uint64_t idle(std::uint64_t now = 0, LogLoad load = LogLoad::Normal) {
    const auto choice = scheduler_.choose(kernel_.machine().processes, Nanoseconds{now}, load);
    return choice.process == nullptr ? choice.idle.value() : 0;
  }
  Process* chosen(std::uint64_t now = 0, LogLoad load = LogLoad::Normal) {
    return scheduler_.choose(kernel_.machine().processes, Nanoseconds{now}, load).process;
  }
  // As the supervisor does with the one that was chosen: its name.
  char run_one(std::uint64_t now = 0, LogLoad load = LogLoad::Normal) {
    Process* const process = chosen(now, load);
    if (process == nullptr) return '-';
    process->context().status = ContextStatus::Ready;
    end_element(*process);
    return static_cast<char>('a' + process->number() - 2);
  }
  std::string run(int elements, std::uint64_t now = 0, LogLoad load = LogLoad::Normal) {
    std::string ran;
    for (int i = 0; i < elements; ++i) ran += run_one(now, load);
    return ran;
  }
  // A PE of a process that the scheduler has chosen, or that waits by now.
  void end_element(Process& process) {
    const auto cost = costs_.find(process.number());
    process.context().turn.spend(cost == costs_.end() ? limit : cost->second);
    scheduler_.end_element(process.context(), settings_);
  }

private:
  fakes::Kernel kernel_;
  Scheduler scheduler_;
  KernelSettings settings_;
  std::map<std::uint64_t, std::uint64_t> costs_;
};

}  // namespace

TEST_CASE("the only process that can run runs again and again") {
  Schedule schedule;
  schedule.add();
  CHECK(schedule.run(5) == "aaaaa");
}

TEST_CASE("init runs like any other process") {
  Schedule schedule;
  schedule.status(schedule.init(), ContextStatus::Ready);
  CHECK(schedule.chosen() == &schedule.init());
}

TEST_CASE("processes of one priority take turns, each of as many elements as the quantum says") {
  Schedule schedule;
  schedule.add();
  schedule.add();
  schedule.add();
  CHECK(schedule.run(12) == "aabbccaabbcc");
}

TEST_CASE("a lower priority runs only while no higher one can") {
  Schedule schedule;
  schedule.add(0);
  Process& middle = schedule.add(3);
  Process& high = schedule.add(7);
  CHECK(schedule.run(5) == "ccccc");
  schedule.status(high, ContextStatus::Calling);
  CHECK(schedule.run(5) == "bbbbb");
  schedule.status(middle, ContextStatus::Calling);
  CHECK(schedule.run(5) == "aaaaa");
  schedule.status(high, ContextStatus::Ready);
  CHECK(schedule.run(2) == "cc");
}

TEST_CASE("a turn that a higher process cuts short keeps its place and its rest") {
  Schedule schedule;
  schedule.add(1);
  schedule.add(1);
  Process& high = schedule.add(2);
  schedule.status(high, ContextStatus::Calling);
  CHECK(schedule.run(1) == "a");
  schedule.status(high, ContextStatus::Ready);
  CHECK(schedule.run(3) == "ccc");
  schedule.status(high, ContextStatus::Calling);
  CHECK(schedule.run(5) == "abbaa");
}

TEST_CASE("a process that waits gives up the rest of its turn") {
  const ContextStatus waiting =
      GENERATE(ContextStatus::Sleeping, ContextStatus::Calling, ContextStatus::Receiving);
  Schedule schedule;
  Process& first = schedule.add();
  schedule.add();
  schedule.status(first, waiting);
  schedule.end_element(first);  // its first PE made it wait
  schedule.status(first, ContextStatus::Ready);
  CHECK(schedule.run(6) == "bbaabb");
}

TEST_CASE("a process that yields gives up the rest of its turn") {
  Schedule schedule;
  Process& first = schedule.add();
  schedule.add();
  first.context().turn.give_up();
  schedule.end_element(first);
  CHECK(schedule.run(6) == "bbaabb");
}

TEST_CASE("a process that wakes up stands before all that have had a turn since it went") {
  Schedule schedule;
  Process& sleeper = schedule.add();
  schedule.add();
  schedule.add();
  schedule.sleep_until(sleeper, 1000);
  schedule.end_element(sleeper);
  CHECK(schedule.run(5, 999) == "bbccb");
  CHECK(schedule.run(6, 1000) == "aabcca");
}

TEST_CASE("elements that the kernel cut short count by their time, so that times are equal") {
  Schedule schedule;
  schedule.set_cost(schedule.add(), limit / 4);
  schedule.add();
  // A turn ends to the nearest whole PE: the first one lacks half of one, and no later one does.
  CHECK(schedule.run(28) == "aaaaaabbaaaaaaaabbaaaaaaaabb");
}

TEST_CASE("what a turn lacks or exceeds is made up in the next ones") {
  Schedule schedule;
  schedule.set_cost(schedule.add(), limit + limit / 2);
  schedule.add();
  // Of two PEs' time a has one and a half, then three (half of one too much), then one and a half.
  CHECK(schedule.run(10) == "abbaabbabb");
  CHECK(schedule.run(10) == "abbaabbabb");
}

TEST_CASE("a process that waits takes no time along that its turn lacked") {
  Schedule schedule;
  Process& first = schedule.add();
  schedule.add();
  for (int i = 0; i < 5; ++i) {
    schedule.status(first, ContextStatus::Sleeping);
    schedule.end_element(first);
  }
  schedule.status(first, ContextStatus::Ready);
  CHECK(schedule.run(8) == "bbaabbaa");
}

TEST_CASE("over many turns processes with elements of any length get equal times") {
  Schedule schedule;
  Process& quick = schedule.add();
  Process& slow = schedule.add();
  schedule.add();
  schedule.set_cost(quick, 70);
  schedule.set_cost(slow, 330);
  std::map<char, std::uint64_t> time;
  for (int i = 0; i < 10'000; ++i) {
    const char name = schedule.run_one();
    time[name] += name == 'a' ? 70 : name == 'b' ? 330 : limit;
  }
  const std::uint64_t turn = quantum * limit;
  for (const char name : {'a', 'b'}) {
    CHECK(time[name] + 2 * turn > time['c']);
    CHECK(time[name] < time['c'] + 2 * turn);
  }
}

TEST_CASE("a sleeper runs from its time on, and until then the machine idles") {
  Schedule schedule;
  Process& sleeper = schedule.add();
  schedule.sleep_until(sleeper, 5000);
  CHECK(schedule.idle(1000) == 4000);
  CHECK(schedule.idle(4999) == 1);
  CHECK(schedule.chosen(5000) == &sleeper);
  CHECK(schedule.chosen(5001) == &sleeper);
}

TEST_CASE("one that is ready runs, whatever it waited for before") {
  Schedule schedule;
  Process& process = schedule.add();
  process.context().wake_at = Nanoseconds{5000};
  process.context().mailbox.alarm = Nanoseconds{5000};
  CHECK(schedule.chosen(1000) == &process);
}

TEST_CASE("one that receives runs from its alarm on, and its old time to wake means nothing") {
  Schedule schedule;
  Process& receiver = schedule.add();
  receiver.context().wake_at = Nanoseconds{10};
  schedule.receive_until(receiver, 5000);
  CHECK(schedule.idle(1000) == 4000);
  CHECK(schedule.chosen(5000) == &receiver);
}

TEST_CASE("an alarm wakes no sleeper") {
  Schedule schedule;
  Process& sleeper = schedule.add();
  sleeper.context().mailbox.alarm = Nanoseconds{2000};
  schedule.sleep_until(sleeper, 5000);
  CHECK(schedule.idle(3000) == 2000);
}

TEST_CASE("a caller runs at no time of its own") {
  Schedule schedule;
  Process& caller = schedule.add();
  caller.context().wake_at = Nanoseconds{10};
  caller.context().mailbox.alarm = Nanoseconds{10};
  schedule.status(caller, ContextStatus::Calling);
  CHECK(schedule.idle(1000) == longest_idle);
}

TEST_CASE("the machine idles until the first of all times") {
  Schedule schedule;
  schedule.sleep_until(schedule.add(), 9000);
  schedule.receive_until(schedule.add(7), 4000);
  schedule.sleep_until(schedule.add(3), 7000);
  schedule.status(schedule.add(), ContextStatus::Calling);
  CHECK(schedule.idle(1000) == 3000);
}

TEST_CASE("while nobody has a time near by the machine idles for the longest that it may") {
  Schedule schedule;
  CHECK(schedule.idle() == longest_idle);
  schedule.sleep_until(schedule.add(), 3 * longest_idle);
  CHECK(schedule.idle() == longest_idle);
  CHECK(schedule.idle(2 * longest_idle + 1) == longest_idle - 1);
}

TEST_CASE("an ended process never runs, and the machine does not wait for it") {
  Schedule schedule;
  Process& process = schedule.add(7);
  Process& other = schedule.add();
  process.context().wake_at = Nanoseconds{};
  process.end(0);
  CHECK(schedule.run(3) == "bbb");
  schedule.sleep_until(other, 5000);
  CHECK(schedule.idle(1000) == 4000);
}

TEST_CASE("while the log is crowded only those that send it run") {
  Schedule schedule;
  schedule.add(7);
  Process& driver = schedule.add_log_driver(2);
  CHECK(schedule.run(3) == "aaa");
  CHECK(schedule.run(3, 0, LogLoad::Crowded) == "bbb");
  schedule.status(driver, ContextStatus::Calling);
  CHECK(schedule.chosen(0, LogLoad::Crowded) == nullptr);
  CHECK(schedule.run(3) == "aaa");
}

TEST_CASE("those that send a crowded log keep their order") {
  Schedule schedule;
  schedule.add();
  schedule.add_log_driver();
  schedule.add_log_driver();
  CHECK(schedule.run(8, 0, LogLoad::Crowded) == "bbccbbcc");
}

TEST_CASE("while the log is crowded the machine idles until one that sends it wakes up") {
  Schedule schedule;
  Process& other = schedule.add();
  Process& driver = schedule.add_log_driver();
  schedule.receive_until(driver, 8000);
  CHECK(schedule.idle(1000, LogLoad::Crowded) == 7000);
  schedule.sleep_until(other, 2000);
  CHECK(schedule.idle(1000, LogLoad::Crowded) == 7000);
  CHECK(schedule.idle(1000) == 1000);
}

TEST_CASE("who is chosen depends on what stands in the table alone: asking changes nothing") {
  Schedule schedule;
  Process& first = schedule.add();
  schedule.add();
  for (int i = 0; i < 10; ++i) CHECK(schedule.chosen() == &first);
  CHECK(schedule.run(4) == "aabb");
}
