#include "user/monitor/boot/linux_image.hpp"

#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/catch.hpp"
#include "tests/user/monitor/fake_memory.hpp"
#include "user/monitor/boot/test_image.hpp"

namespace {

using monitor::Bytes;
using monitor::LoadError;

constexpr std::uint64_t mib = 1 << 20;
constexpr std::uint64_t parameters = 0x90000;

template <class T>
void put(std::vector<std::uint8_t>& file, std::size_t offset, T value) {
  std::memcpy(file.data() + offset, &value, sizeof value);
}

// A bzImage of protocol 2.15 with two sectors of setup and 5,000 bytes of kernel.
std::vector<std::uint8_t> small_kernel() {
  std::vector<std::uint8_t> file(3 * 512 + 5'000);
  for (std::size_t i = 3 * 512; i < file.size(); ++i) file[i] = static_cast<std::uint8_t>(i * 7);
  put<std::uint8_t>(file, 0x1f1, 2);
  put<std::uint8_t>(file, 0x201, 0x6a);
  put<std::uint32_t>(file, 0x202, 0x53726448);
  put<std::uint16_t>(file, 0x206, 0x20f);
  put<std::uint8_t>(file, 0x211, 1);
  put<std::uint32_t>(file, 0x22c, 0x7fffffff);
  put<std::uint32_t>(file, 0x238, 100);
  put<std::uint64_t>(file, 0x258, 0x200000);
  put<std::uint32_t>(file, 0x260, 0x100000);
  return file;
}

Bytes bytes_of(const std::vector<std::uint8_t>& file) { return std::as_bytes(std::span{file}); }

struct Loaded {
  test::FakeMemory memory;
  reprise::Result<reprise_guest_state, LoadError> state;

  Loaded(const std::vector<std::uint8_t>& kernel, std::uint64_t memory_mib,
         const std::string& command_line = "", const std::vector<std::uint8_t>& initrd = {})
      : memory{memory_mib * mib},
        state{monitor::load_image({.kernel = bytes_of(kernel),
                                   .initrd = bytes_of(initrd),
                                   .command_line = command_line,
                                   .memory_bytes = memory_mib * mib},
                                  memory)} {}
};

LoadError error_of(const std::vector<std::uint8_t>& kernel, std::uint64_t memory_mib = 16,
                   const std::string& command_line = "",
                   const std::vector<std::uint8_t>& initrd = {}) {
  const Loaded loaded{kernel, memory_mib, command_line, initrd};
  REQUIRE_FALSE(loaded.state);
  return loaded.state.error();
}

std::vector<std::uint8_t> file_below_boot(const char* beginning) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator{"/boot", error}) {
    if (entry.path().filename().string().rfind(beginning, 0) != 0) continue;
    std::ifstream stream{entry.path(), std::ios::binary};
    return {std::istreambuf_iterator<char>{stream}, {}};
  }
  return {};
}

}  // namespace

TEST_CASE("a kernel lies at its preferred address, with its parameters and its command line") {
  const auto kernel = small_kernel();
  Loaded loaded{kernel, 16, "console=ttyS0 quiet"};
  REQUIRE(loaded.state);
  auto& memory = loaded.memory;
  for (std::size_t i = 0; i < 5'000; ++i)
    REQUIRE(memory.at<std::uint8_t>(0x200000 + i) == kernel[3 * 512 + i]);
  CHECK(memory.at<std::uint32_t>(parameters + 0x202) == 0x53726448);
  CHECK(memory.at<std::uint8_t>(parameters + 0x210) == 0xff);
  CHECK(memory.at<std::uint32_t>(parameters + 0x214) == 0x200000);
  CHECK(memory.at<std::uint32_t>(parameters + 0x218) == 0);
  CHECK(memory.at<std::uint32_t>(parameters + 0x21c) == 0);
  const auto line = memory.at<std::uint32_t>(parameters + 0x228);
  CHECK(memory.at<std::array<char, 20>>(line) == std::array<char, 20>{"console=ttyS0 quiet"});
}

TEST_CASE("the memory's map has base memory, the firmware's place, and the rest") {
  Loaded loaded{small_kernel(), 16};
  auto& memory = loaded.memory;
  CHECK(memory.at<std::uint8_t>(parameters + 0x1e8) == 3);
  const auto entry = [&](unsigned i) { return parameters + 0x2d0 + 20 * i; };
  CHECK(memory.at<std::uint64_t>(entry(0)) == 0);
  CHECK(memory.at<std::uint64_t>(entry(0) + 8) == 0x9fc00);
  CHECK(memory.at<std::uint32_t>(entry(0) + 16) == 1);
  CHECK(memory.at<std::uint64_t>(entry(1)) == 0xf0000);
  CHECK(memory.at<std::uint32_t>(entry(1) + 16) == 2);
  CHECK(memory.at<std::uint64_t>(entry(2)) == mib);
  CHECK(memory.at<std::uint64_t>(entry(2) + 8) == 15 * mib);
  CHECK(memory.at<std::uint32_t>(entry(2) + 16) == 1);
}

TEST_CASE("the guest begins in flat 32-bit protected mode, paging and interrupts off") {
  Loaded loaded{small_kernel(), 16};
  REQUIRE(loaded.state);
  const reprise_guest_state& state = loaded.state.value();
  CHECK(state.rip == 0x200000);
  CHECK(state.rsi == parameters);
  CHECK((state.rbx | state.rbp | state.rdi) == 0);
  CHECK(state.rflags == 2);
  CHECK(state.cr0 == 0x11);
  CHECK((state.cr3 | state.cr4 | state.efer) == 0);
  CHECK(state.cs.selector == 0x10);
  CHECK(state.cs.attributes == 0xc9b);
  CHECK(state.cs.limit == 0xffffffff);
  for (const auto& segment : {state.ds, state.es, state.ss}) {
    CHECK(segment.selector == 0x18);
    CHECK(segment.attributes == 0xc93);
    CHECK(segment.base == 0);
  }
  CHECK(loaded.memory.at<std::uint64_t>(state.gdtr.base + 0x10) == 0x00cf9b000000ffff);
  CHECK(loaded.memory.at<std::uint64_t>(state.gdtr.base + 0x18) == 0x00cf93000000ffff);
}

TEST_CASE("the initrd lies as high as memory and the kernel allow, at a page's start") {
  const std::vector<std::uint8_t> initrd(10'000, 0x5a);
  Loaded loaded{small_kernel(), 16, "", initrd};
  REQUIRE(loaded.state);
  const std::uint64_t place = loaded.memory.at<std::uint32_t>(parameters + 0x218);
  CHECK(place == 16 * mib - 3 * 4096);
  CHECK(loaded.memory.at<std::uint32_t>(parameters + 0x21c) == 10'000);
  CHECK(loaded.memory.at<std::uint8_t>(place) == 0x5a);
  CHECK(loaded.memory.at<std::uint8_t>(place + 9'999) == 0x5a);
  auto kernel = small_kernel();
  put<std::uint32_t>(kernel, 0x22c, 8 * mib - 1);
  Loaded lower{kernel, 16, "", initrd};
  REQUIRE(lower.state);
  CHECK(lower.memory.at<std::uint32_t>(parameters + 0x218) == 8 * mib - 3 * 4096);
}

TEST_CASE("no kernel, an old one, a low one and a broken one are told apart") {
  auto kernel = small_kernel();
  CHECK(error_of({}) == LoadError::NotAKernel);
  CHECK(error_of(std::vector<std::uint8_t>(100'000, 0x7f)) == LoadError::NotAKernel);
  put<std::uint16_t>(kernel, 0x206, 0x209);
  CHECK(error_of(kernel) == LoadError::OldProtocol);
  kernel = small_kernel();
  put<std::uint8_t>(kernel, 0x211, 0);
  CHECK(error_of(kernel) == LoadError::LowKernel);
  kernel = small_kernel();
  put<std::uint8_t>(kernel, 0x1f1, 200);  // setup beyond the file's end
  CHECK(error_of(kernel) == LoadError::BrokenKernel);
  kernel = small_kernel();
  put<std::uint8_t>(kernel, 0x201, 0x20);  // a header too short for its version
  CHECK(error_of(kernel) == LoadError::BrokenKernel);
  kernel = small_kernel();
  kernel.resize(0x240);
  CHECK(error_of(kernel) == LoadError::BrokenKernel);
}

TEST_CASE("a kernel, an initrd or a command line that does not fit is refused") {
  auto kernel = small_kernel();
  CHECK(error_of(kernel, 2) == LoadError::KernelTooLarge);
  CHECK(Loaded(kernel, 3).state);
  put<std::uint64_t>(kernel, 0x258, ~0ul - 100);
  CHECK(error_of(kernel) == LoadError::KernelTooLarge);
  put<std::uint64_t>(kernel, 0x258, 0x1000);  // over the parameters
  CHECK(error_of(kernel) == LoadError::KernelTooLarge);
  kernel = small_kernel();
  CHECK(error_of(kernel, 3, "", std::vector<std::uint8_t>(10)) == LoadError::InitrdTooLarge);
  CHECK(error_of(kernel, 16, "", std::vector<std::uint8_t>(14 * mib)) == LoadError::InitrdTooLarge);
  CHECK(error_of(kernel, 16, "", std::vector<std::uint8_t>(17 * mib)) == LoadError::InitrdTooLarge);
  CHECK(Loaded(kernel, 16, std::string(100, 'x')).state);
  CHECK(error_of(kernel, 16, std::string(101, 'x')) == LoadError::LongCommandLine);
  put<std::uint32_t>(kernel, 0x238, ~0u);
  CHECK(error_of(kernel, 16, std::string(0x2000, 'x')) == LoadError::LongCommandLine);
}

TEST_CASE("memory that cannot be written is an error") {
  test::FakeMemory little{1 * mib};
  const auto kernel = small_kernel();
  const auto state =
      monitor::load_image({.kernel = bytes_of(kernel), .memory_bytes = 16 * mib}, little);
  REQUIRE_FALSE(state);
  CHECK(state.error() == LoadError::NoMemory);
}

TEST_CASE("a test guest lies at 1 MiB and is entered behind its magic, EBX = bytes of memory") {
  std::vector<std::uint8_t> file(16 + 100, 0x90);
  std::memcpy(file.data(), monitor::TestImage::magic.data(), 16);
  Loaded loaded{file, 2};
  REQUIRE(loaded.state);
  CHECK(loaded.state.value().rip == 0x100010);
  CHECK(loaded.state.value().rbx == 2 * mib);
  CHECK(loaded.state.value().cs.attributes == 0xc9b);
  CHECK(loaded.memory.at<std::uint8_t>(0x100010) == 0x90);
  CHECK(error_of(file, 1) == LoadError::KernelTooLarge);
  file.resize(2 * mib);
  CHECK(error_of(file, 2) == LoadError::KernelTooLarge);
}

TEST_CASE("each error has a text") {
  for (unsigned i = 0; i <= static_cast<unsigned>(LoadError::NoMemory); ++i)
    CHECK(monitor::text_of(static_cast<LoadError>(i)) != "unknown error");
}

TEST_CASE("a kernel of the distribution loads, where this machine has one") {
  const auto kernel = file_below_boot("vmlinuz-");
  if (kernel.empty()) return;
  Loaded loaded{kernel, 128, "console=ttyS0", std::vector<std::uint8_t>(mib)};
  REQUIRE(loaded.state);
  CHECK(loaded.state.value().rip == 0x1000000);
  CHECK(loaded.memory.at<std::uint8_t>(0x1000000) == 0xfc);  // CLD
  CHECK(error_of(kernel, 32) == LoadError::KernelTooLarge);
}

TEST_CASE("memtest86+ loads, where this machine has it") {
  const auto kernel = file_below_boot("memtest86+x64.bin");
  if (kernel.empty()) return;
  Loaded loaded{kernel, 16, "console=ttyS0"};
  REQUIRE(loaded.state);
  CHECK(loaded.state.value().rip == 0x100000);
}
