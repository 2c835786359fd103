#include "user/linux/content.hpp"

#include <catch2/catch.hpp>
#include <random>

#include "tests/user/linux/fake_process.hpp"

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
