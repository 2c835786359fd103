// echo [LINES]: prints what it reads from its standard input, line by line. Ends at the
// input's end, at a Ctrl-D, and after LINES lines.
#include <array>

#include "user/lib/drivers.hpp"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"

int main(int argc, char** argv) {
  constexpr char end_of_input = 4;  // Ctrl-D
  const std::uint64_t wanted = user::number_argument(argc, argv, 1, ~std::uint64_t{0});
  std::array<char, 512> line{};
  std::size_t used = 0;
  std::uint64_t lines = 0;
  while (lines < wanted) {
    char c = 0;
    std::int64_t count = user::read_input({&c, 1});
    if (c == end_of_input) count = 0;
    if (count != 0 && c != '\n' && c != '\r' && used < line.size()) {
      line[used] = c;
      ++used;
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
