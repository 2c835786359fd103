// Boot information as a Multiboot2 loader leaves it, for the tests of its two readers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace boot_blob {

constexpr std::uint64_t blob_at = 0x200000;

// Builds a boot information blob tag by tag, as a loader would.
class Blob {
public:
  Blob() {
    number<std::uint32_t>(0);
    number<std::uint32_t>(0);
  }
  template <class T>
  Blob& number(T value) {
    std::array<std::byte, sizeof(T)> raw;
    std::memcpy(raw.data(), &value, sizeof(T));
    for (const std::byte byte : raw) bytes_.push_back(byte);
    return *this;
  }
  Blob& text(const std::string& s) {
    for (const char c : s) bytes_.push_back(static_cast<std::byte>(c));
    bytes_.push_back(std::byte{0});
    return *this;
  }
  Blob& begin(std::uint32_t type) {
    while (bytes_.size() % 8 != 0) bytes_.push_back(std::byte{0xee});
    tag_ = bytes_.size();
    return number(type).number<std::uint32_t>(0);
  }
  Blob& end() {
    const auto size = static_cast<std::uint32_t>(bytes_.size() - tag_);
    std::memcpy(bytes_.data() + tag_ + 4, &size, 4);
    return *this;
  }
  Blob& memory_map() { return begin(6).number<std::uint32_t>(24).number<std::uint32_t>(0); }
  Blob& memory(std::uint64_t start, std::uint64_t size, std::uint32_t type) {
    return number(start).number(size).number(type).number<std::uint32_t>(0);
  }
  Blob& module(std::uint32_t start, std::uint32_t end_address, const std::string& string) {
    return begin(3).number(start).number(end_address).text(string).end();
  }
  Blob& framebuffer(std::uint8_t bits, std::uint8_t type, std::uint8_t red_size = 8,
                    std::uint8_t red_position = 16, std::uint32_t width = 1024) {
    begin(8).number<std::uint64_t>(0xe0000000).number<std::uint32_t>(4096);
    number(width).number<std::uint32_t>(768).number(bits).number(type).number<std::uint16_t>(0);
    for (const std::uint8_t b : {red_position, red_size, std::uint8_t{8}, std::uint8_t{8},
                                 std::uint8_t{0}, std::uint8_t{8}}) {
      number(b);
    }
    return end();
  }
  [[nodiscard]] std::vector<std::byte> finish() {
    begin(0).end();
    const auto size = static_cast<std::uint32_t>(bytes_.size());
    std::memcpy(bytes_.data(), &size, 4);
    return bytes_;
  }

private:
  std::vector<std::byte> bytes_;
  std::size_t tag_ = 0;
};

inline Blob usual() {
  Blob blob;
  blob.begin(1).text("policy=rotate report=full").end();
  blob.begin(2).text("GRUB 2.06").end();
  blob.memory_map().memory(0, 0x9fc00, 1).memory(0x9fc00, 0x400, 2).memory(0x100000, 0x7ee0000, 1);
  return blob.end();
}

}  // namespace boot_blob
