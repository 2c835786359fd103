#include "user/monitor/console.hpp"

#include <string>
#include <vector>

#include "tests/catch.hpp"

namespace {

struct Written final : monitor::TextOutput {
  std::vector<std::string> pieces;
  void write(std::string_view text) override { pieces.emplace_back(text); }
};

void put_all(monitor::ConsoleOutput& console, std::string_view text) {
  for (const char c : text) console.put(c);
}

}  // namespace

TEST_CASE("a line is written as one piece, without the carriage return of its end") {
  Written written;
  monitor::ConsoleOutput console{written};
  CHECK_FALSE(console.has_printed());
  put_all(console, "one\r\ntwo\n\r\nhalf");
  CHECK(console.has_printed());
  CHECK(written.pieces == std::vector<std::string>{"one\n", "two\n", "\n"});
  console.flush();
  console.flush();
  CHECK(written.pieces.back() == "half");
  CHECK(written.pieces.size() == 4);
}

TEST_CASE("other carriage returns stay") {
  Written written;
  monitor::ConsoleOutput console{written};
  put_all(console, "10%\r20%\r\r\n");
  CHECK(written.pieces == std::vector<std::string>{"10%\r20%\r\n"});
}

TEST_CASE("a long line is written in pieces") {
  Written written;
  monitor::ConsoleOutput console{written};
  put_all(console, std::string(3'000, 'x') + "\n");
  std::string whole;
  for (const auto& piece : written.pieces) whole += piece;
  CHECK(whole == std::string(3'000, 'x') + "\n");
  CHECK(written.pieces.size() == 3);
}

TEST_CASE("input is given out in its order, and there is room only when all is taken") {
  monitor::ConsoleInput input;
  REQUIRE(input.room().size() >= 3);
  input.room()[0] = 'a';
  input.room()[1] = 'b';
  input.came(2);
  CHECK(input.room().empty());
  CHECK(input.take() == 'a');
  CHECK_FALSE(input.empty());
  CHECK(input.take() == 'b');
  CHECK(input.empty());
  CHECK_FALSE(input.room().empty());
}
