// Static ELF64 programs, mapped into the calling process at the addresses that the kernel uses
// (kernel/base/memory_map.hpp), and the System V stack they start with.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

struct HostImage {
  std::uint64_t low, high;  // page aligned
  std::uint64_t entry;
  std::uint64_t headers;  // address of the program headers
  std::uint16_t header_count;
};

std::vector<char> read_whole_file(const std::string& path);  // exits with a message on error
HostImage map_image(const std::string& path, std::uint64_t position_independent_base);
void map_fixed(std::uint64_t address, const std::vector<char>& content);  // read-only

// Maps `bytes` below `high` and writes argc, argv, envp and auxv there. Returns the stack pointer.
std::uint64_t build_stack(std::uint64_t high, std::uint64_t bytes, const HostImage& image,
                          const std::vector<std::string>& arguments,
                          const std::vector<std::string>& environment);
