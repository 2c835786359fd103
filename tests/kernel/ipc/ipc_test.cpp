// Messages: call, receive, answer.
#include "kernel/ipc/ipc.hpp"

#include <string>
#include <vector>

#include "tests/catch.hpp"
#include "tests/kernel/ipc/post.hpp"

using namespace post_office;

namespace {

std::string long_text(std::size_t bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes; ++i) text += static_cast<char>('a' + (i * 7 + i / 256) % 26);
  return text;
}

}  // namespace

TEST_CASE("a server that waits gets a call's words at once, and the caller waits") {
  Post post;
  Process &server = post.add(), &caller = post.add();
  CHECK(post.receive(server) == REPRISE_RECEIVE);
  CHECK(post.status(server) == receiving);
  CHECK(post.call(caller, server) == REPRISE_CALL);
  CHECK(post.status(caller) == calling);
  CHECK(post.ready(server));
  CHECK(post.result(server) == static_cast<std::int64_t>(caller.number()));
  CHECK(post.words(server) == question);
  CHECK(post.bytes(server) == 0);
}

TEST_CASE("a call waits for a server that does something else, and is received later") {
  Post post;
  Process &server = post.add(), &caller = post.add();
  post.call(caller, server);
  CHECK(post.status(caller) == calling);
  CHECK(post.ready(server));
  CHECK(post.receive(server) == static_cast<std::int64_t>(caller.number()));
  CHECK(post.ready(server));
  CHECK(post.words(server) == question);
}

TEST_CASE("an answer's words reach the caller, which goes on, and the server waits anew") {
  Post post;
  Process &server = post.add(), &caller = post.add();
  post.receive(server);
  post.call(caller, server);
  CHECK(post.answer(server, caller.number()) == REPRISE_RECEIVE);
  CHECK(post.status(server) == receiving);
  CHECK(post.ready(caller));
  CHECK(post.result(caller) == 0);
  CHECK(post.words(caller) == reply);
  CHECK(caller.context().mailbox.server == Mailbox::nobody);
}

TEST_CASE("bytes go with a call and with its answer, each as many as were sent") {
  Post post;
  Process &server = post.add(), &caller = post.add();
  post.receive(server, 100);
  post.put(caller, buffer, "the question");
  post.put(server, buffer, "----------------");
  post.call(caller, server, question, REPRISE_SIZES(12, 50));
  CHECK(post.bytes(server) == 12);
  CHECK(post.text(server, buffer, 16) == "the question----");
  post.put(server, buffer + 200, "a reply");
  post.answer(server, caller.number(), reply, REPRISE_SIZES(7, 100), buffer + 200);
  CHECK(post.result(caller) == 7);
  CHECK(post.text(caller, buffer, 12) == "a replystion");
}

TEST_CASE("the longest message crosses pages at any place and comes out whole") {
  Post post;
  Process &server = post.add(), &caller = post.add();
  const std::uint64_t from = buffer + 1, to = buffer + 0xabc;
  const std::string sent = long_text(REPRISE_MESSAGE_BYTES);
  post.put(caller, from, sent);
  post.answer(server, 0, nothing, REPRISE_SIZES(0, REPRISE_MESSAGE_BYTES), to);
  post.call(caller, server, question, REPRISE_SIZES(REPRISE_MESSAGE_BYTES, 0), from);
  CHECK(post.bytes(server) == REPRISE_MESSAGE_BYTES);
  CHECK(post.text(server, to, sent.size()) == sent);
}

TEST_CASE("a server may answer its callers in whatever order") {
  Post post;
  Process &server = post.add(), &one = post.add(), &two = post.add();
  post.receive(server);
  post.call(one, server);
  post.receive(server);
  post.call(two, server);
  post.answer(server, two.number(), {2, 2, 2});
  CHECK(post.ready(two));
  CHECK(post.status(one) == calling);
  post.answer(server, one.number(), {1, 1, 1});
  CHECK(post.words(one) == Words{1, 1, 1});
  CHECK(post.words(two) == Words{2, 2, 2});
}

TEST_CASE("calls are received in the order in which they were made") {
  Post post;
  Process &server = post.add(), &one = post.add(), &two = post.add(), &three = post.add();
  for (Process* const caller : {&three, &one, &two}) post.call(*caller, server);
  for (Process* const caller : {&three, &one, &two}) {
    CHECK(post.receive(server) == static_cast<std::int64_t>(caller->number()));
  }
  CHECK(post.receive(server) == REPRISE_RECEIVE);
  CHECK(post.status(server) == receiving);
}

TEST_CASE("a server gets its own callers, not those of another") {
  Post post;
  Process &server = post.add(), &other = post.add(), &caller = post.add();
  post.call(caller, other);
  post.receive(server);
  CHECK(post.status(server) == receiving);
  CHECK(post.receive(other) == static_cast<std::int64_t>(caller.number()));
}

TEST_CASE("a server may itself call while a caller waits for its answer") {
  Post post;
  Process &back = post.add(), &middle = post.add(), &front = post.add();
  post.receive(back);
  post.receive(middle);
  post.call(front, middle);
  post.call(middle, back, {7, 8, 9});
  CHECK(post.words(back) == Words{7, 8, 9});
  post.answer(back, middle.number());
  CHECK(post.ready(middle));
  post.answer(middle, front.number(), {1, 2, 3});
  CHECK(post.words(front) == Words{1, 2, 3});
}

TEST_CASE("a caller's next call waits for its server like the first one") {
  Post post;
  Process &server = post.add(), &caller = post.add();
  post.receive(server);
  post.call(caller, server);
  post.answer(server, caller.number());
  post.kernel().machine().ipc.notify(server, REPRISE_NOTE_LOG);  // it has something else to do
  post.call(caller, server, {7, 8, 9});
  CHECK(post.answer(server, caller.number()) == failure(REPRISE_GONE));  // not received yet
  CHECK(post.receive(server) == static_cast<std::int64_t>(caller.number()));
  CHECK(post.words(server) == Words{7, 8, 9});
}

TEST_CASE("a server that waits for a third can be called: that is no deadlock") {
  Post post;
  Process &back = post.add(), &middle = post.add(), &front = post.add();
  post.call(middle, back);
  CHECK(post.call(front, middle) == REPRISE_CALL);
  CHECK(post.status(front) == calling);
  post.receive(back);
  post.answer(back, middle.number());
  CHECK(post.receive(middle) == static_cast<std::int64_t>(front.number()));
}

// ---- What cannot be ----

TEST_CASE("a call to nobody, to itself, or to one that has ended fails: GONE") {
  Post post;
  Process &caller = post.add(), &other = post.add();
  for (const std::uint64_t number :
       {std::uint64_t{0}, std::uint64_t{1000}, ~std::uint64_t{0}, caller.number()}) {
    CHECK(fakes::fails(post.kernel(), caller, REPRISE_GONE, REPRISE_CALL, number));
  }
  post.kernel().machine().end(other, 0);
  CHECK(fakes::fails(post.kernel(), caller, REPRISE_GONE, REPRISE_CALL, other.number()));
  CHECK(post.ready(caller));
}

TEST_CASE("a cycle of callers is a DEADLOCK, however long it is") {
  Post post;
  std::vector<Process*> chain(10);
  for (Process*& process : chain) process = &post.add();
  for (std::size_t i = 1; i < chain.size(); ++i) {
    const std::uint64_t last = chain[0]->number();
    post.call(*chain[i - 1], *chain[i]);
    CHECK(fakes::fails(post.kernel(), *chain[i], REPRISE_DEADLOCK, REPRISE_CALL, last));
    CHECK(post.ready(*chain[i]));
  }
  // The way out: the last one serves.
  CHECK(post.receive(*chain[9]) == static_cast<std::int64_t>(chain[8]->number()));
}

TEST_CASE("a server that calls its own caller has a DEADLOCK, received or not") {
  Post post;
  Process &server = post.add(), &caller = post.add();
  post.receive(server);
  post.call(caller, server);
  CHECK(fakes::fails(post.kernel(), server, REPRISE_DEADLOCK, REPRISE_CALL, caller.number()));
  post.answer(server, caller.number());
  CHECK(post.call(server, caller) == REPRISE_CALL);
}

TEST_CASE("a message or a room of more than the longest is a bad argument") {
  Post post;
  Process &server = post.add(), &caller = post.add();
  constexpr std::uint64_t more = REPRISE_MESSAGE_BYTES + 1;
  for (const std::uint64_t sizes : {REPRISE_SIZES(more, 0), REPRISE_SIZES(0, more),
                                    REPRISE_SIZES(0xffffffff, 0), REPRISE_SIZES(0, 0xffffffff)}) {
    CHECK(post.call(caller, server, question, sizes) == failure(REPRISE_BAD_ARGUMENT));
    CHECK(post.answer(server, 0, nothing, sizes) == failure(REPRISE_BAD_ARGUMENT));
    CHECK(post.ready(caller));
    CHECK(post.ready(server));
  }
}

TEST_CASE("a buffer that cannot be read as far as it is sent is a bad address") {
  Post post;
  Process &server = post.add(), &caller = post.add();
  for (const std::uint64_t at : {not_mapped, not_mapped - 3, std::uint64_t{0}, ~std::uint64_t{0},
                                 user_high - 2, std::uint64_t{0xffff800000000000}}) {
    CHECK(post.call(caller, server, question, REPRISE_SIZES(4, 0), at) ==
          failure(REPRISE_BAD_ADDRESS));
    CHECK(post.answer(server, 0, nothing, REPRISE_SIZES(4, 0), at) == failure(REPRISE_BAD_ADDRESS));
    CHECK(post.ready(caller));
    CHECK(post.ready(server));
  }
  CHECK(post.call(caller, server, question, REPRISE_SIZES(4, 0), not_mapped - 4) == REPRISE_CALL);
}

TEST_CASE("a room that cannot be written is a bad address, and what is read there may be sent") {
  Post post;
  Process &server = post.add(), &caller = post.add();
  post.kernel().call(caller, REPRISE_PROTECT, buffer, page_size, REPRISE_PROTECT_READ);
  CHECK(post.call(caller, server, question, REPRISE_SIZES(0, 1)) == failure(REPRISE_BAD_ADDRESS));
  CHECK(post.ready(caller));
  CHECK(post.call(caller, server, question, REPRISE_SIZES(page_size, 0)) == REPRISE_CALL);
}

TEST_CASE("without bytes and room a buffer is looked at by nobody") {
  Post post;
  Process &server = post.add(), &caller = post.add();
  CHECK(post.answer(server, 0, nothing, 0, ~std::uint64_t{0}) == REPRISE_RECEIVE);
  CHECK(post.call(caller, server, question, 0, not_mapped) == REPRISE_CALL);
  CHECK(post.words(server) == question);
}

TEST_CASE("a message that is too long for the server fails for the caller alone") {
  Post post;
  Process &server = post.add(), &caller = post.add(), &next = post.add();
  post.receive(server, 3);
  post.put(caller, buffer, "four");
  CHECK(post.call(caller, server, question, REPRISE_SIZES(4, 0)) == failure(REPRISE_TOO_LONG));
  CHECK(post.ready(caller));
  CHECK(post.status(server) == receiving);
  CHECK(post.words(server) == nothing);
  post.put(next, buffer, "yes");
  post.call(next, server, {1, 2, 3}, REPRISE_SIZES(3, 0));
  CHECK(post.ready(server));
  CHECK(post.text(server, buffer, 3) == "yes");
}

TEST_CASE("a server that comes late gets the first message that it can take") {
  Post post;
  Process &server = post.add(), &one = post.add(), &two = post.add(), &three = post.add();
  post.call(one, server, question, REPRISE_SIZES(10, 0));
  post.call(two, server, question, REPRISE_SIZES(11, 0));
  post.call(three, server, {3, 3, 3}, REPRISE_SIZES(5, 0));
  CHECK(post.receive(server, 5) == static_cast<std::int64_t>(three.number()));
  CHECK(post.words(server) == Words{3, 3, 3});
  CHECK(post.result(one) == failure(REPRISE_TOO_LONG));
  CHECK(post.result(two) == failure(REPRISE_TOO_LONG));
  CHECK(post.ready(one));
  CHECK(post.ready(two));
}

TEST_CASE("an answer that is too long fails for the server, and the caller still waits for one") {
  Post post;
  Process &server = post.add(), &caller = post.add();
  post.receive(server);
  post.call(caller, server, question, REPRISE_SIZES(0, 3));
  CHECK(post.answer(server, caller.number(), reply, REPRISE_SIZES(4, 0)) ==
        failure(REPRISE_TOO_LONG));
  CHECK(post.ready(server));
  CHECK(post.status(caller) == calling);
  CHECK(post.words(caller) == question);
  post.answer(server, caller.number(), reply, REPRISE_SIZES(3, 0));
  CHECK(post.result(caller) == 3);
}

TEST_CASE("only one whose message was received, and not answered yet, can be answered") {
  Post post;
  Process &server = post.add(), &caller = post.add(), &other = post.add();
  const std::uint64_t number = caller.number();
  CHECK(post.answer(server, number) == failure(REPRISE_GONE));  // it has not called
  post.call(caller, server);
  CHECK(post.answer(server, number) == failure(REPRISE_GONE));  // nor was it received
  post.receive(server);
  CHECK(post.answer(other, number) == failure(REPRISE_GONE));  // by this one
  CHECK(post.answer(server, 1000) == failure(REPRISE_GONE));
  CHECK(post.status(caller) == calling);
  CHECK(post.ready(server));
  CHECK(post.answer(server, number) == REPRISE_RECEIVE);
  CHECK(post.answer(server, number) == failure(REPRISE_GONE));  // not twice
}

TEST_CASE("an answer that cannot be given waits for nothing, though others call") {
  Post post;
  Process &server = post.add(), &caller = post.add();
  post.call(caller, server);
  CHECK(post.answer(server, 1000) == failure(REPRISE_GONE));
  CHECK(post.ready(server));
  CHECK_FALSE(caller.context().mailbox.received);
  CHECK(post.receive(server) == static_cast<std::int64_t>(caller.number()));
}

TEST_CASE("a message for whose bytes no memory is left fails for the caller, and is not received") {
  Post post;
  Process &server = post.add(), &caller = post.add();
  post.receive(server, 5);
  post.kernel().leave_frames(0);
  CHECK(post.call(caller, server, question, REPRISE_SIZES(5, 0)) == failure(REPRISE_NO_MEMORY));
  CHECK(post.ready(caller));
  CHECK(post.status(server) == receiving);
  CHECK(post.words(server) == nothing);
  post.kernel().leave_frames(1);
  CHECK(post.call(caller, server, question, REPRISE_SIZES(5, 0)) == REPRISE_CALL);
  CHECK(post.ready(server));
}

TEST_CASE("a server that took its room away while it was called gets nothing there") {
  Post post;
  Process &server = post.add(), &caller = post.add();
  post.put(caller, buffer, "bytes");
  post.call(caller, server, question, REPRISE_SIZES(5, 0));
  post.kernel().call(server, REPRISE_UNMAP, buffer, page_size);
  CHECK(post.receive(server, 5) == failure(REPRISE_BAD_ADDRESS));
  CHECK(post.status(caller) == calling);
  CHECK(post.answer(server, 0, nothing, REPRISE_SIZES(0, 5), buffer + page_size) ==
        static_cast<std::int64_t>(caller.number()));
  CHECK(post.text(server, buffer + page_size, 5) == "bytes");
}

// ---- The end of one side ----

TEST_CASE("a server's end frees all its callers, received or not, and nobody else's") {
  Post post;
  Process &server = post.add(), &other = post.add();
  Process &received = post.add(), &waiting = post.add(), &elsewhere = post.add();
  post.receive(server);
  post.call(received, server);
  post.call(waiting, server);
  post.call(elsewhere, other);
  post.kernel().machine().end(server, 0);
  for (const Process* const caller : {&received, &waiting}) {
    CHECK(post.ready(*caller));
    CHECK(post.result(*caller) == failure(REPRISE_GONE));
    CHECK(caller->context().mailbox.server == Mailbox::nobody);
  }
  CHECK(post.status(elsewhere) == calling);
}

TEST_CASE("an ended caller is not received, and not answered") {
  Post post;
  Process &server = post.add(), &received = post.add(), &waiting = post.add();
  post.receive(server);
  post.call(received, server);
  post.call(waiting, server);
  post.kernel().machine().end(received, 0);
  post.kernel().machine().end(waiting, 0);
  CHECK(post.answer(server, received.number()) == failure(REPRISE_GONE));
  CHECK(post.receive(server) == REPRISE_RECEIVE);
  CHECK(post.status(server) == receiving);
}
