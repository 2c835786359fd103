// Guest memory for tests: some bytes from address 0 on, and nothing behind them.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "user/monitor/page_walker.hpp"

namespace test {

class FakeMemory final : public monitor::GuestMemory {
public:
  explicit FakeMemory(std::uint64_t size) : bytes_(size) {}

  bool read(std::uint64_t address, void* to, std::uint64_t bytes) override {
    if (!has(address, bytes)) return false;
    if (bytes != 0) std::memcpy(to, bytes_.data() + address, bytes);
    return true;
  }
  bool write(std::uint64_t address, const void* from, std::uint64_t bytes) override {
    if (!has(address, bytes)) return false;
    if (bytes != 0) std::memcpy(bytes_.data() + address, from, bytes);
    return true;
  }
  template <class T>
  [[nodiscard]] T at(std::uint64_t address) {
    T value{};
    if (!read(address, &value, sizeof value)) std::abort();
    return value;
  }
  template <class T>
  void set(std::uint64_t address, T value) {
    if (!write(address, &value, sizeof value)) std::abort();
  }

private:
  [[nodiscard]] bool has(std::uint64_t address, std::uint64_t bytes) const {
    return address <= bytes_.size() && bytes <= bytes_.size() - address;
  }
  std::vector<std::uint8_t> bytes_;
};

}  // namespace test
