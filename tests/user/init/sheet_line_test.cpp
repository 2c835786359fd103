#include "user/init/sheet_line.hpp"

#include <string>

#include "tests/catch.hpp"

using namespace reprise;

TEST_CASE("the check of a line is the CRC that Python's binascii has, too") {
  CHECK(check_of("") == 0);
  CHECK(check_of("123456789") == 0x31c3);  // the known value of CRC-16/XMODEM
  CHECK(check_of("6789", check_of("12345")) == 0x31c3);
}

TEST_CASE("a line has its number, its text and the check of both") {
  CHECK(sheet_line(7, "end 7").view() == "07 end 7 #f5e7");
  CHECK(sheet_line(123, "x").view() == "123 x #02b2");
  CHECK(digits_of(0x0a0b).view() == "0a0b");
}

TEST_CASE("each wrong character and each two neighbours that change places change the check") {
  const std::string line = "07 twice startup 0 0 36 3 20 18 8790 190 95";
  for (std::size_t i = 0; i < line.size(); ++i) {
    for (const char wrong : std::string{"0123456789 lOabcdef"}) {
      std::string other = line;
      other[i] = wrong;
      CHECK((other == line || check_of(other) != check_of(line)));
    }
    std::string swapped = line;
    if (i > 0) std::swap(swapped[i - 1], swapped[i]);
    CHECK((swapped == line || check_of(swapped) != check_of(line)));
  }
}
