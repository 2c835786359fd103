// Lets the personality's parts run on the host without a program. It gives them a process with an
// archive, native calls that only count and map, and user memory that is the test's own memory.
// Addresses below one page fault.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "user/linux/nodes.hpp"
#include "user/linux/user_memory.hpp"

namespace fake {

// Starts anew after earlier tests: an empty heap of `bytes`, no program mappings.
void reset(std::uint64_t heap_bytes = 1ull << 32);

// The text that the personality logged since the last reset.
[[nodiscard]] const std::string& log();

// Writes a newc archive.
class ArchiveWriter {
public:
  struct Attributes {
    std::uint32_t mode = 0100644, inode = 0, links = 1;
  };
  ArchiveWriter& add(std::string_view name, std::string_view data, Attributes attributes);
  ArchiveWriter& file(std::string_view name, std::string_view data) {
    return add(name, data, Attributes{});
  }
  ArchiveWriter& link(std::string_view name, std::string_view target) {
    return add(name, target, {0120777, 0, 1});
  }
  ArchiveWriter& directory(std::string_view name) { return add(name, "", {040755, 0, 2}); }
  ArchiveWriter& end() { return add("TRAILER!!!", "", {0, 0, 1}); }
  [[nodiscard]] std::span<const std::byte> bytes() const { return std::as_bytes(std::span(text_)); }
  std::vector<char>& text() { return text_; }

private:
  std::vector<char> text_;
  std::uint32_t next_inode_ = 1;
};

[[nodiscard]] inline personality::UserAddress user(const void* pointer) {
  return personality::UserAddress(reinterpret_cast<std::uint64_t>(pointer));
}

[[nodiscard]] std::string read_all(const personality::Content& content);

// The node at a path, links followed; nullptr and `error` (negative) when there is none.
personality::Node* find(personality::Tree& tree, std::string_view path,
                        std::int64_t* error = nullptr);

}  // namespace fake
