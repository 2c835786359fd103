#include "user/monitor/devices/virtio_disk.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "tests/catch.hpp"
#include "tests/user/monitor/fake_memory.hpp"

namespace {

using monitor::DiskImage;
using monitor::VirtioDisk;

constexpr std::uint16_t base = 0xc000;
constexpr std::uint64_t queue = 0x10000, available = queue + 2048, used = queue + 0x1000;
constexpr std::uint64_t header = 0x20000, data = 0x21000, status = 0x2f000;
constexpr std::uint64_t file_bytes = 20 * 512 + 100;  // a rest that is no sector

// A driver that has placed its queue at 64 KiB.
struct Driver {
  test::FakeMemory memory{0x40000};
  std::vector<std::byte> file = std::vector<std::byte>(file_bytes);
  std::vector<std::byte> copies =
      std::vector<std::byte>(DiskImage::blocks_of(file_bytes) * DiskImage::block_bytes);
  std::vector<std::uint8_t> is_copied = std::vector<std::uint8_t>(DiskImage::blocks_of(file_bytes));
  DiskImage image{file, copies, is_copied};
  VirtioDisk disk{image, memory};
  std::uint16_t made = 0;

  Driver() {
    for (std::size_t i = 0; i < file.size(); ++i) file[i] = static_cast<std::byte>(i / 512 + 1);
    disk.configuration().write(4, 2, 1);
    write(0x08, 4, queue >> 12);
    memory.set<std::uint8_t>(status, 0xee);
  }
  std::uint32_t read(unsigned offset, unsigned bytes) {
    return disk.read({.port = static_cast<std::uint16_t>(base + offset), .bytes = bytes});
  }
  void write(unsigned offset, unsigned bytes, std::uint64_t value) {
    disk.write({.port = static_cast<std::uint16_t>(base + offset), .bytes = bytes},
               static_cast<std::uint32_t>(value));
  }
  void descriptor(unsigned index, std::uint64_t address, std::uint32_t bytes, unsigned flags,
                  unsigned next = 0) {
    const std::uint64_t place = queue + 16 * index;
    memory.set<std::uint64_t>(place, address);
    memory.set<std::uint32_t>(place + 8, bytes);
    memory.set<std::uint16_t>(place + 12, static_cast<std::uint16_t>(flags));
    memory.set<std::uint16_t>(place + 14, static_cast<std::uint16_t>(next));
  }
  void announce(unsigned head) {
    memory.set<std::uint16_t>(available + 4 + 2ul * (made % 128), static_cast<std::uint16_t>(head));
    ++made;
    memory.set<std::uint16_t>(available + 2, made);
    write(0x10, 2, 0);
  }
  // A request in three parts; the result is its status.
  unsigned request(std::uint32_t kind, std::uint64_t sector, std::uint32_t bytes,
                   std::uint64_t address = data) {
    memory.set<std::uint32_t>(header, kind);
    memory.set<std::uint64_t>(header + 8, sector);
    memory.set<std::uint8_t>(status, 0xee);
    const unsigned direction = kind == 1 ? 0 : 2;
    descriptor(0, header, 16, 1, 1);
    descriptor(1, address, bytes, 1 | direction, 2);
    descriptor(2, status, 1, 2);
    announce(0);
    return memory.at<std::uint8_t>(status);
  }
};

}  // namespace

TEST_CASE("the configuration space tells what it is, and how many ports it wants") {
  Driver d;
  auto& space = d.disk.configuration();
  CHECK(space.read(0, 4) == 0x1001'1af4);
  CHECK(space.read(0x2c, 4) == 0x0002'1af4);
  CHECK(space.read(0x10, 4) == 0xc001);
  CHECK(space.read(0x3c, 2) == 0x010b);
  space.write(0x10, 4, ~0u);
  CHECK(space.read(0x10, 4) == 0xffff'ffc1);
  space.write(0x10, 4, 0xc441);
  CHECK(d.read(0x0c, 2) == 0xffff'ffff);
  CHECK(d.disk.read({.port = 0xc44c, .bytes = 2}) == 128);
  space.write(4, 2, 0);  // its ports do not answer
  CHECK(d.disk.read({.port = 0xc44c, .bytes = 2}) == ~0u);
}

TEST_CASE("registers: features, the one queue, capacity in sectors, by any width") {
  Driver d;
  CHECK(d.read(0x00, 4) == 0x204);
  CHECK(d.read(0x0c, 2) == 128);
  CHECK(d.read(0x14, 4) == 20);
  CHECK(d.read(0x18, 4) == 0);
  CHECK(d.read(0x14, 1) == 20);
  CHECK((d.read(0x20, 1) & 0xff) == 126);
  d.write(0x0e, 2, 1);
  CHECK(d.read(0x0c, 2) == 0);
  CHECK(d.read(0x08, 4) == 0);
  d.write(0x0e, 2, 0);
  CHECK(d.read(0x08, 4) == queue >> 12);
  d.write(0x12, 1, 7);
  CHECK(d.read(0x12, 1) == 7);
  d.write(0x12, 1, 0);
  CHECK(d.read(0x08, 4) == 0);
}

TEST_CASE("a read brings the file's sectors, over the blocks' edges, and makes an interrupt") {
  Driver d;
  CHECK(d.request(0, 6, 4 * 512) == 0);
  for (unsigned i = 0; i < 4 * 512; ++i)
    REQUIRE(d.memory.at<std::uint8_t>(data + i) == 6 + i / 512 + 1);
  CHECK(d.memory.at<std::uint16_t>(used + 2) == 1);
  CHECK(d.memory.at<std::uint32_t>(used + 4) == 0);
  CHECK(d.memory.at<std::uint32_t>(used + 8) == 4 * 512 + 1);
  CHECK(d.disk.interrupts());
  CHECK(d.read(0x13, 1) == 1);
  CHECK_FALSE(d.disk.interrupts());
}

TEST_CASE("what is written is read again, and the file stays as it is") {
  Driver d;
  const auto before = d.file;
  for (unsigned i = 0; i < 1024; ++i) d.memory.set<std::uint8_t>(data + i, 0x5a);
  CHECK(d.request(1, 7, 1024) == 0);  // the last sector of a block and the first of the next
  CHECK(d.memory.at<std::uint32_t>(used + 8) == 1);
  CHECK(d.request(0, 6, 4 * 512) == 0);
  CHECK(d.memory.at<std::uint8_t>(data) == 7);
  CHECK(d.memory.at<std::uint8_t>(data + 512) == 0x5a);
  CHECK(d.memory.at<std::uint8_t>(data + 1535) == 0x5a);
  CHECK(d.memory.at<std::uint8_t>(data + 1536) == 10);
  CHECK(d.file == before);
  CHECK(d.request(4, 0, 0) == 0);  // flush
}

TEST_CASE("the last sector is the end") {
  Driver d;
  CHECK(d.request(0, 19, 512) == 0);
  CHECK(d.memory.at<std::uint8_t>(data) == 20);
  CHECK(d.request(0, 19, 1024) == 1);
  CHECK(d.request(0, 20, 512) == 1);
  CHECK(d.request(1, ~0ul, 512) == 1);
  CHECK(d.request(0, 1ul << 55, 512) == 1);
}

TEST_CASE("the device names itself, and refuses what it does not know") {
  Driver d;
  CHECK(d.request(8, 0, 20) == 0);
  CHECK(d.memory.at<std::array<char, 13>>(data) == std::array<char, 13>{"reprise-disk"});
  CHECK(d.request(8, 0, 10) == 1);
  CHECK(d.request(99, 0, 512) == 2);
}

TEST_CASE("memory that is not there fails the request, or the queue, and nothing else") {
  Driver d;
  CHECK(d.request(0, 0, 512, 0x80000000) == 1);
  CHECK(d.request(1, 0, 512, 0x80000000) == 1);
  d.descriptor(0, ~0ul - 4, 16, 1, 1);
  d.announce(0);
  CHECK(d.memory.at<std::uint8_t>(status) == 1);
  d.write(0x08, 4, 0xfffff);
  d.write(0x10, 2, 0);
  CHECK(d.memory.at<std::uint16_t>(used + 2) == 3);
}

TEST_CASE("a chain without end, or out of the table, is not served") {
  Driver d;
  d.descriptor(0, header, 16, 1, 0);
  d.announce(0);
  CHECK(d.memory.at<std::uint16_t>(used + 2) == 0);
  Driver e;
  e.descriptor(0, header, 16, 1, 500);
  e.announce(0);
  CHECK(e.memory.at<std::uint16_t>(used + 2) == 0);
  Driver f;
  f.announce(128);
  CHECK(f.memory.at<std::uint16_t>(used + 2) == 0);
  Driver g;
  g.descriptor(0, header, 16, 0);  // no status
  g.announce(0);
  CHECK(g.memory.at<std::uint16_t>(used + 2) == 0);
  Driver h;
  CHECK(h.request(0, 0, 512) == 0);
  h.memory.set<std::uint16_t>(available + 2, 1 + 129);  // more than there are
  h.write(0x10, 2, 0);
  CHECK(h.memory.at<std::uint16_t>(used + 2) == 1);
}

TEST_CASE("data that goes the wrong way is refused") {
  Driver d;
  d.memory.set<std::uint32_t>(header, 0);
  d.descriptor(0, header, 16, 1, 1);
  d.descriptor(1, data, 512, 1, 2);  // a read into memory that the device may not write
  d.descriptor(2, status, 1, 2);
  d.announce(0);
  CHECK(d.memory.at<std::uint8_t>(status) == 1);
  CHECK(d.memory.at<std::uint8_t>(data) == 0);
}

TEST_CASE("an interrupt that the driver does not want, or has turned off, does not come") {
  Driver d;
  d.memory.set<std::uint16_t>(available, 1);
  CHECK(d.request(0, 0, 512) == 0);
  CHECK_FALSE(d.disk.interrupts());
  d.memory.set<std::uint16_t>(available, 0);
  d.disk.configuration().write(4, 2, 0x401);
  CHECK(d.request(0, 0, 512) == 0);
  CHECK_FALSE(d.disk.interrupts());
  d.disk.configuration().write(4, 2, 0x001);
  CHECK(d.disk.interrupts());
}

TEST_CASE("the rings go around") {
  Driver d;
  for (unsigned i = 0; i < 300; ++i) REQUIRE(d.request(0, i % 20, 512) == 0);
  CHECK(d.memory.at<std::uint16_t>(used + 2) == 300);
  CHECK(d.memory.at<std::uint8_t>(data) == 299 % 20 + 1);
}
