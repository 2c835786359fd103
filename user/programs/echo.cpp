// echo: reads console input to its end and says what it read, line by line (stdin=console).
#include <array>

#include "user/lib/calls.hpp"
#include "user/lib/print.hpp"

int main(int, char**) {
  std::array<char, 512> line{};
  std::size_t used = 0;
  std::uint64_t lines = 0;
  for (;;) {
    char c = 0;
    const std::int64_t count = user::read({&c, 1});
    if (count < 0) {
      user::print("echo: error ", -count, "\n");
      return 1;
    }
    if (count != 0 && c != '\n' && c != '\r' && used < line.size()) {
      line[used++] = c;
      continue;
    }
    if (count != 0 || used != 0) {
      user::print("echo: \"", std::string_view{line.data(), used}, "\"\n");
      ++lines;
      used = 0;
    }
    if (count == 0) break;
  }
  user::print("echo: ", lines, " lines\n");
  return 0;
}
