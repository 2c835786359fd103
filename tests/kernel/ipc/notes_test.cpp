// What the kernel tells a server: notes, interrupts, alarms.
#include "kernel/ipc/ipc.hpp"

#include "tests/catch.hpp"
#include "tests/kernel/ipc/post.hpp"

using namespace post_office;

TEST_CASE("a server that waits is told a note at once, as a message of the kernel's") {
  Post post;
  Process& server = post.add();
  post.receive(server);
  post.kernel().machine().ipc.notify(server, REPRISE_NOTE_LOG);
  CHECK(post.ready(server));
  CHECK(post.result(server) == 0);
  CHECK(post.words(server)[0] == REPRISE_NOTE_LOG);
  CHECK(server.context().mailbox.notes == 0);
}

TEST_CASE("notes that come meanwhile are told together, once, before any caller's message") {
  Post post;
  Process &server = post.add(), &caller = post.add();
  post.call(caller, server);
  post.kernel().machine().ipc.notify(server, REPRISE_NOTE_LOG);
  post.kernel().machine().ipc.notify(server, REPRISE_NOTE_NEWS);
  post.kernel().machine().ipc.notify(server, REPRISE_NOTE_LOG);
  CHECK(post.ready(server));
  CHECK(post.receive(server) == 0);
  CHECK(post.words(server)[0] == (REPRISE_NOTE_LOG | REPRISE_NOTE_NEWS));
  CHECK(post.receive(server) == static_cast<std::int64_t>(caller.number()));
}

TEST_CASE("a note of nothing wakes nobody") {
  Post post;
  Process& server = post.add();
  post.receive(server);
  post.kernel().machine().ipc.notify(server, 0);
  CHECK(post.status(server) == receiving);
}

TEST_CASE("a note does not wake a caller, which hears of it when it receives") {
  Post post;
  Process &server = post.add(), &caller = post.add();
  post.call(caller, server);
  post.kernel().machine().ipc.notify(caller, REPRISE_NOTE_LOG);
  CHECK(post.status(caller) == calling);
  CHECK(post.words(caller) == question);
  post.receive(server);
  post.answer(server, caller.number());
  CHECK(post.receive(caller) == 0);
  CHECK(post.words(caller)[0] == REPRISE_NOTE_LOG);
}

TEST_CASE("an answer goes out though notes are told instead of the next message") {
  Post post;
  Process &server = post.add(), &caller = post.add();
  post.receive(server);
  post.call(caller, server);
  post.kernel().machine().ipc.notify(server, REPRISE_NOTE_LOG);
  CHECK(post.answer(server, caller.number()) == 0);
  CHECK(post.ready(caller));
  CHECK(post.words(caller) == reply);
  CHECK(post.words(server)[0] == REPRISE_NOTE_LOG);
}

TEST_CASE("interrupts are told to those that were granted their lines, and to no other") {
  Post post;
  ProgramRequest request{.module = fakes::program_module};
  request.grant_count = 1;
  request.grants[0] = {.kind = REPRISE_GRANT_INTERRUPT, .first = 4, .last = 5};
  Process &driver = post.add(request), &other = post.add();
  post.receive(driver);
  post.receive(other);
  CHECK(fakes::hardware.expected == 0x30);
  post.kernel().machine().ipc.notify_all(0xff0f, Nanoseconds{});
  CHECK(post.status(driver) == receiving);
  post.kernel().machine().ipc.notify_all(0xff2f, Nanoseconds{});
  CHECK(post.ready(driver));
  CHECK(post.words(driver)[0] == 0x20);
  CHECK(post.status(other) == receiving);
}

TEST_CASE("interrupts are not expected anew while a driver has work left") {
  Post post;
  ProgramRequest request{.module = fakes::program_module};
  request.grant_count = 1;
  request.grants[0] = {.kind = REPRISE_GRANT_INTERRUPT, .first = 4, .last = 4};
  Process& driver = post.add(request);
  post.kernel().machine().ipc.notify(driver, REPRISE_NOTE_LOG);
  CHECK(post.receive(driver) == 0);
  CHECK(fakes::hardware.expected == 0);
  post.receive(driver);
  CHECK(fakes::hardware.expected == 0x10);
}

TEST_CASE("an alarm is told at its time, once") {
  Post post;
  Process& server = post.add();
  CHECK(post.kernel().call(server, REPRISE_ALARM, 5000) == 0);
  post.receive(server);
  post.kernel().machine().ipc.notify_all(0, Nanoseconds{4999});
  CHECK(post.status(server) == receiving);
  post.kernel().machine().ipc.notify_all(0, Nanoseconds{5000});
  CHECK(post.ready(server));
  CHECK(post.words(server)[0] == REPRISE_NOTE_ALARM);
  post.receive(server);
  post.kernel().machine().ipc.notify_all(0, Nanoseconds{9000});
  CHECK(post.status(server) == receiving);
}

TEST_CASE("each of two alarms is told at its time, whichever was set first") {
  const bool later_first = GENERATE(false, true);
  Post post;
  Process& soon = post.add();
  Process& late = post.add();
  if (later_first) post.kernel().call(late, REPRISE_ALARM, 9000);
  post.kernel().call(soon, REPRISE_ALARM, 5000);
  if (!later_first) post.kernel().call(late, REPRISE_ALARM, 9000);
  post.receive(soon);
  post.receive(late);
  post.kernel().machine().ipc.notify_all(0, Nanoseconds{5000});
  CHECK(post.ready(soon));
  CHECK(post.status(late) == receiving);
  post.kernel().machine().ipc.notify_all(0, Nanoseconds{9000});
  CHECK(post.ready(late));
}

TEST_CASE("an alarm of never is never told") {
  Post post;
  Process& server = post.add();
  post.kernel().call(server, REPRISE_ALARM, 5000);
  post.kernel().call(server, REPRISE_ALARM, ~std::uint64_t{0});
  post.receive(server);
  post.kernel().machine().ipc.notify_all(0, Nanoseconds{~std::uint64_t{0} - 1});
  CHECK(post.status(server) == receiving);
}
