#include "user/drivers/text_screen.hpp"

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "tests/catch.hpp"

using drivers::Framebuffer;
using drivers::TextScreen;

namespace {

// The driver's assembly includes the same file.
auto read_font() {
  std::remove_const_t<decltype(drivers::console_font)> font{};
  std::ifstream file{CONSOLE_FONT, std::ios::binary};
  file.read(reinterpret_cast<char*>(&font), sizeof(font));
  return file && file.peek() == EOF ? font : decltype(font){};
}

}  // namespace

extern "C" const std::array<drivers::Glyph, 95> drivers::console_font = read_font();

namespace {

// A framebuffer that gets each changed row as the driver writes it. Each row is drawn into memory
// of exactly its size, so the sanitizer finds a write outside.
struct Display {
  Display(std::uint32_t width, std::uint32_t height, std::uint8_t bits, std::uint32_t pitch)
      : geometry{0, pitch, width, height, bits, 16, 8, 0}, pixels(std::size_t{pitch} * height) {
    screen->start(geometry);
    update();
  }
  void write(std::string_view text) {
    screen->write(text);
    update();
  }
  unsigned update() {
    unsigned drawn = 0;
    for (unsigned row = 0; row < screen->rows(); ++row) {
      if (!screen->take_change(row)) continue;
      std::vector<std::byte> buffer(screen->row_bytes());
      screen->draw(row, buffer);
      std::copy(buffer.begin(), buffer.end(),
                pixels.begin() + static_cast<std::ptrdiff_t>(row * screen->row_bytes()));
      ++drawn;
    }
    return drawn;
  }
  [[nodiscard]] bool lit(std::size_t x, std::size_t y) const {
    return pixels[std::size_t{y} * geometry.pitch + std::size_t{x} * geometry.bits_per_pixel / 8] !=
           std::byte{0};
  }
  // The text as a reader sees it. Looks each cell's dots up in the font.
  [[nodiscard]] std::string row(unsigned r, unsigned scale = 1) const {
    std::string text;
    for (unsigned c = 0; c < screen->columns(); ++c) text.push_back(cell(r, c, scale));
    text.erase(text.find_last_not_of(' ') + 1);
    return text;
  }
  [[nodiscard]] char cell(unsigned r, unsigned c, unsigned scale) const {
    for (char candidate = ' '; candidate <= '~'; ++candidate) {
      const drivers::Glyph& glyph =
          drivers::console_font[static_cast<std::size_t>(candidate - ' ')];
      bool same = true;
      for (unsigned y = 0; y < 16 * scale && same; ++y) {
        for (unsigned x = 0; x < 8 * scale && same; ++x) {
          const bool dot = (glyph[y / scale] & (0x80u >> x / scale)) != 0;
          same = dot == lit(c * 8 * scale + x, r * 16 * scale + y);
        }
      }
      if (same) return candidate;
    }
    return '\x7f';
  }

  Framebuffer geometry;
  std::vector<std::byte> pixels;
  std::unique_ptr<TextScreen> screen = std::make_unique<TextScreen>();
};

}  // namespace

TEST_CASE("every printable character can be read off the screen") {
  std::string all;
  for (char c = ' '; c <= '~'; ++c) all.push_back(c);
  for (const std::uint8_t bits : {std::uint8_t{24}, std::uint8_t{32}}) {
    Display display{1024, 64, bits, 1024u * bits / 8 + 20};
    display.write(all);
    CHECK(display.row(0) == all);
  }
}

TEST_CASE("the padding behind each line of pixels stays dark") {
  Display display{80, 48, 24, 80 * 3 + 7};
  display.write("##########\n##########\n##########\n##########");
  for (std::size_t y = 0; y < 48; ++y) {
    for (std::size_t x = 240; x < 247; ++x) CHECK(display.pixels[y * 247 + x] == std::byte{0});
  }
}

TEST_CASE("only rows that have changed are drawn, and each once") {
  Display display{160, 20 * 16 + 5, 32, 640};
  CHECK(display.screen->bytes_below() == 5 * 640);
  CHECK(display.update() == 0);
  display.screen->write("one\ntwo\none more");
  CHECK(display.update() == 3);
  CHECK(display.update() == 0);
  for (int i = 0; i < 1000; ++i) display.screen->write("line " + std::to_string(i) + "\n");
  CHECK(display.update() <= 20);
}

TEST_CASE("lines break at the edge, at a line feed, and tabs stop at each eighth column") {
  Display display{80, 96, 32, 320};
  display.write("0123456789ab\ncd\te\rC");
  CHECK(display.row(0) == "0123456789");
  CHECK(display.row(1) == "ab");
  CHECK(display.row(2) == "Cd      e");
}

TEST_CASE("after more lines than fit, the last one written is shown and the order is kept") {
  Display display{160, 20 * 16, 32, 640};
  for (int i = 0; i < 57; ++i) display.write("line " + std::to_string(i) + "\n");
  int last = -1;
  for (unsigned r = 0; r < 20; ++r) {
    const std::string text = display.row(r);
    if (text.empty()) continue;
    const int number = std::stoi(text.substr(5));
    CHECK((last == -1 || number == last + 1));
    last = number;
  }
  CHECK(last == 56);
}

TEST_CASE("a screen of fewer rows than one scroll still shows the last line") {
  Display display{80, 32, 32, 320};
  display.write("a\nb\nc\nd\ne");
  CHECK(display.row(0) + display.row(1) == "e");
}

TEST_CASE("dots are two pixels wide on a screen of twice full HD's height") {
  Display display{3840, 2160, 32, 3840 * 4};
  CHECK(display.screen->columns() == 240);
  CHECK(display.screen->rows() == 67);
  display.write("Reprise");
  CHECK(display.row(0, 2) == "Reprise");
}

TEST_CASE("a character of several bytes shows as one question mark") {
  Display display{160, 32, 32, 640};
  display.write("a\xc3\xa9z \xe2\x82\xac");
  CHECK(display.row(0) == "a?z ?");
}

TEST_CASE("a framebuffer that makes no sense or is of another depth stays dark") {
  const auto screen = std::make_unique<TextScreen>();
  for (const Framebuffer& bad :
       {Framebuffer{0, 1280, 640, 480, 16, 11, 5, 0}, Framebuffer{0, 2000, 640, 480, 32, 16, 8, 0},
        Framebuffer{0, 2560, 4, 480, 32, 16, 8, 0}, Framebuffer{0, 2560, 640, 480, 32, 99, 8, 0},
        Framebuffer{0, ~0ull, ~0ull, ~0ull, 32, 16, 8, 0}, Framebuffer{}}) {
    screen->start(bad);
    CHECK_FALSE(screen->on());
    screen->write("nothing happens");
  }
}
