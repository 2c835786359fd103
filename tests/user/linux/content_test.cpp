#include "user/linux/content.hpp"

#include <catch2/catch.hpp>
#include <random>

#include "tests/user/linux/fake_process.hpp"
#include "user/linux/heap.hpp"
#include "user/linux/process.hpp"

using namespace personality;

TEST_CASE("any sequence of writes, reads and resizes gives what a plain buffer gives") {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    INFO("seed " << seed);
    fake::reset();
    std::mt19937 random(seed);
    std::string archived(random() % 30000, '\0');
    for (char& c : archived) c = static_cast<char>(random());
    const std::string original = archived;
    Content content;
    content.set_archived(std::as_bytes(std::span(archived)));
    std::string model = archived;
    for (int step = 0; step < 150; ++step) {
      const std::uint64_t at = random() % 40000, bytes = random() % 9000;
      switch (random() % 3) {
        case 0: {
          std::string text(bytes, static_cast<char>(random()));
          REQUIRE(content.write(at, fake::user(text.data()), bytes) ==
                  static_cast<std::int64_t>(bytes));
          if (bytes != 0) model.resize(std::max(model.size(), at + bytes));
          model.replace(bytes != 0 ? at : 0, bytes, text);
          break;
        }
        case 1:
          REQUIRE(content.resize(at) == 0);
          model.resize(at);
          break;
        default: {
          std::string text(bytes, '?');
          const auto got = content.read(at, fake::user(text.data()), bytes);
          REQUIRE(got >= 0);
          text.resize(static_cast<std::size_t>(got));
          REQUIRE(text == (at < model.size() ? model.substr(at, bytes) : std::string()));
        }
      }
      REQUIRE(content.size() == model.size());
    }
    REQUIRE(fake::read_all(content) == model);
    std::string loaded(50000, '\0');
    content.load(0, loaded.data(), loaded.size());
    REQUIRE(loaded.substr(0, model.size()) == model);
    REQUIRE(archived == original);  // copy on write: the archive itself is never changed
    content.clear();
    REQUIRE(content.own_pages() == 0);
  }
}

TEST_CASE("bad addresses and sizes are errors and leave the file as it was") {
  fake::reset();
  Content content;
  CHECK(content.write(0, UserAddress(16), 10) == fail(Errno::Fault));
  CHECK(content.size() == 0);
  CHECK(content.write(1ull << 40, fake::user("x"), 1) == fail(Errno::FileTooBig));
  CHECK(content.write(~0ull, fake::user("x"), 1) == fail(Errno::FileTooBig));
  CHECK(content.resize(1ull << 41) == fail(Errno::FileTooBig));
  CHECK(content.write(0, fake::user("abc"), 3) == 3);
  CHECK(content.read(0, UserAddress(16), 3) == fail(Errno::Fault));
  CHECK(content.read(~0ull, fake::user("abc"), 3) == 0);
}

TEST_CASE("a write that memory cannot hold is short, then refused") {
  fake::reset(512 * 1024);
  Content content;
  const std::string text(1 << 20, 'x');
  const auto written = content.write(0, fake::user(text.data()), text.size());
  CHECK(written > 0);
  CHECK(written < static_cast<std::int64_t>(text.size()));
  CHECK(content.size() == static_cast<std::uint64_t>(written));
  CHECK(content.write(content.size(), fake::user(text.data()), 4096) == fail(Errno::NoSpace));
}

TEST_CASE("data and holes are found by pages, in the archive and behind it") {
  fake::reset();
  const std::string archived(page_bytes + 10, 'a');
  Content content;
  content.set_archived(std::as_bytes(std::span(archived)));
  CHECK(content.next_data(0) == 0);
  CHECK(content.next_hole(0) == content.size());
  REQUIRE(content.resize(10 * page_bytes) == 0);
  REQUIRE(content.write(6 * page_bytes + 5, fake::user("x"), 1) == 1);
  CHECK(content.next_hole(3) == 2 * page_bytes);
  CHECK(content.next_data(2 * page_bytes + 7) == 6 * page_bytes);
  CHECK(content.next_data(6 * page_bytes + 9) == 6 * page_bytes + 9);
  CHECK(content.next_hole(6 * page_bytes) == 7 * page_bytes);
  CHECK(content.next_data(7 * page_bytes) == content.size());
  CHECK(content.data_pages() == 3);
  REQUIRE(content.allocate(6 * page_bytes, 8 * page_bytes) == 0);
  CHECK(content.size() == 10 * page_bytes);
  CHECK(content.next_hole(6 * page_bytes) == content.size());
  CHECK(content.data_pages() == 10);
  content.clear();
}

TEST_CASE("a joined page is the file's until it is parted from, and only changes cost memory") {
  fake::reset(1 << 20);
  const std::string archived(2 * page_bytes, 'a');
  alignas(4096) static std::byte page[4096], other[4096];
  std::memset(page, 0, sizeof page);
  std::memset(other, 0, sizeof other);
  Content content;
  content.set_archived(std::as_bytes(std::span(archived)));
  REQUIRE(content.join(1, page));
  CHECK(page[5] == std::byte{'a'});
  CHECK(content.joined_page(1) == page);
  page[5] = std::byte{'B'};
  CHECK(fake::read_all(content)[page_bytes + 5] == 'B');
  REQUIRE(content.write(page_bytes + 6, fake::user("C"), 1) == 1);
  CHECK(page[6] == std::byte{'C'});
  REQUIRE(content.join(1, other));  // it moves
  CHECK(content.joined_page(1) == other);
  CHECK(other[6] == std::byte{'C'});
  REQUIRE(content.part_from(1));
  CHECK(content.joined_page(1) == nullptr);
  CHECK(fake::read_all(content)[page_bytes + 5] == 'B');
  std::memset(page, 0, sizeof page);
  REQUIRE(content.join(0, page));
  const std::uint64_t own = content.own_pages();
  REQUIRE(content.part_from(0));  // unchanged: the archive's again
  CHECK(content.own_pages() == own - 1);
  std::memset(page, 0, sizeof page);
  REQUIRE(content.join(0, page));
  page[0] = std::byte{'X'};
  while (heap().allocate(4096) != nullptr) {
  }
  CHECK_FALSE(content.part_from(0));
  CHECK(content.joined_page(0) == page);
  REQUIRE(content.resize(0) == 0);  // a joined page is not the heap's to take back
  content.clear();
  CHECK(heap().allocate(4096) != page);
}
