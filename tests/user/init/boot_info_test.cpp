#include "user/init/boot_info.hpp"

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include "arch/x86_64/multiboot2.hpp"
#include "tests/boot_blob.hpp"
#include "tests/catch.hpp"

using namespace reprise;
using boot_blob::Blob;
using boot_blob::blob_at;
using boot_blob::usual;

namespace {

BootFacts parse(const std::vector<std::byte>& blob) { return parse_boot_facts(blob, blob_at); }

}  // namespace

TEST_CASE("command line and modules come out as the loader put them in") {
  const auto bytes = usual()
                         .module(0x300000, 0x301234, "program=sh sh -c 'ls'")
                         .module(0x400000, 0x400000, "archive")
                         .finish();
  const BootFacts facts = parse(bytes);
  CHECK(facts.command_line == "policy=rotate report=full");
  REQUIRE(facts.modules().size() == 2);
  CHECK(facts.modules()[0].string == "program=sh sh -c 'ls'");
  CHECK(facts.modules()[0].bytes == 0x1234);
  CHECK(facts.modules()[1].string == "archive");
  CHECK(facts.modules()[1].bytes == 0);
  CHECK(facts.framebuffer.bits == 0);
  CHECK(facts.acpi_root == 0);
}

TEST_CASE("a text without a zero byte ends with its tag") {
  Blob blob;
  blob.begin(1);
  for (const char c : {'q', 'u', 'i', 'e', 't'}) blob.number(c);
  const auto bytes = blob.end().module(0x300000, 0x301000, "init").finish();
  CHECK(parse(bytes).command_line == "quiet");
  CHECK(parse(bytes).modules()[0].string == "init");
}

TEST_CASE("a framebuffer is taken when the console can draw on it, else left out") {
  const Framebuffer good = parse(usual().framebuffer(32, 1).finish()).framebuffer;
  CHECK(good.address == 0xe0000000);
  CHECK(good.bits == 32);
  CHECK(good.width == 1024);
  CHECK(good.height == 768);
  CHECK(good.pitch == 4096);
  CHECK(good.colours == std::array<std::uint64_t, 3>{16, 8, 0});
  CHECK(parse(usual().framebuffer(24, 1).finish()).framebuffer.bits == 24);
  for (const auto& bytes :
       {usual().framebuffer(16, 2).finish(), usual().framebuffer(8, 0).finish(),
        usual().framebuffer(32, 2).finish(), usual().framebuffer(16, 1).finish(),
        usual().framebuffer(32, 1, 10).finish(), usual().framebuffer(32, 1, 8, 25).finish(),
        usual().framebuffer(24, 1, 8, 17).finish(),
        usual().framebuffer(32, 1, 8, 16, 1025).finish()}) {
    CHECK(parse(bytes).framebuffer.bits == 0);
  }
}

TEST_CASE("init takes the newer ACPI root, in whatever order the two come") {
  for (const bool new_first : {true, false}) {
    Blob blob = usual();
    blob.begin(new_first ? 15 : 14).text("RSD PTR ").end();
    blob.begin(new_first ? 14 : 15).text("RSD PTR ").end();
    const auto bytes = blob.finish();
    const std::uint64_t at = parse(bytes).acpi_root - blob_at;
    REQUIRE(at < bytes.size());
    CHECK(std::memcmp(bytes.data() + at, "RSD PTR ", 8) == 0);
    CHECK(static_cast<int>(bytes[at - 8]) == 15);
  }
}

TEST_CASE("the old ACPI root will do") {
  const auto bytes = usual().begin(14).text("RSD PTR ").end().finish();
  const std::uint64_t at = parse(bytes).acpi_root - blob_at;
  REQUIRE(at < bytes.size());
  CHECK(std::memcmp(bytes.data() + at, "RSD PTR ", 8) == 0);
}

TEST_CASE("more modules than there can be are left out") {
  Blob blob = usual();
  for (std::uint32_t i = 0; i < 70; ++i) blob.module(i * 0x1000, i * 0x1000 + i, "x");
  const auto bytes = blob.finish();
  CHECK(parse(bytes).modules().size() == most_modules);
  CHECK(parse(bytes).modules().back().bytes == 63);
}

TEST_CASE("cut off anywhere, nothing behind the blob's end is read") {
  const auto whole = usual()
                         .module(0x300000, 0x301000, "archive")
                         .framebuffer(32, 1)
                         .begin(15)
                         .text("RSD PTR ")
                         .end()
                         .finish();
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    // An allocation of its own for each size: the address sanitizer sees a read behind it.
    const auto copy = std::make_unique<std::byte[]>(size);
    std::copy_n(whole.begin(), size, copy.get());
    const BootFacts facts = parse_boot_facts({copy.get(), size}, blob_at);
    INFO(size);
    CHECK(facts.modules().size() <= 1);
    CHECK((facts.acpi_root == 0 || facts.acpi_root - blob_at < size));
    CHECK((facts.command_line.empty() || facts.command_line == "policy=rotate report=full"));
  }
}

TEST_CASE("init finds the kernel's modules in every blob that the kernel accepts") {
  const auto whole = usual()
                         .module(0x300000, 0x301000, "archive")
                         .module(0x302000, 0x303000, "personality")
                         .module(0x304000, 0x305000, "init")
                         .framebuffer(32, 1)
                         .finish();
  std::mt19937 random{7};
  int accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    auto bytes = whole;
    for (int flips = 0; flips < 3; ++flips) {
      bytes[random() % bytes.size()] ^= static_cast<std::byte>(1u << random() % 8);
    }
    const BootFacts facts = parse(bytes);
    arch::BootStorage storage;
    if (!arch::parse_boot_info(bytes, PhysAddr{blob_at}, {PhysAddr{0x100000}, 4096}, storage)) {
      continue;
    }
    ++accepted;
    const arch::BootInfo& kernel = storage.info;
    REQUIRE(facts.modules().size() == kernel.modules.size());
    for (std::size_t i = 0; i < kernel.modules.size(); ++i) {
      REQUIRE(facts.modules()[i].bytes == kernel.modules[i].size);
      REQUIRE((facts.modules()[i].string == "init") == (kernel.init == i));
      REQUIRE((facts.modules()[i].string == "personality") == (kernel.personality == i));
    }
  }
  CHECK(accepted > 5'000);
}
