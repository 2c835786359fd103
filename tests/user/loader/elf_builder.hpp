// Makes small ELF files for tests. They are correct by default, and a test can spoil one place.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "user/loader/elf_format.hpp"

namespace test {

using reprise::elf::FileHeader;
using reprise::elf::ProgramHeader;

struct ElfBuilder {
  FileHeader header{};
  std::vector<ProgramHeader> segments;
  std::vector<std::byte> content = std::vector<std::byte>(0x3000);  // the file, headers included

  // A code segment that holds the headers, then data with zeroed memory behind it.
  ElfBuilder() {
    header.ident = {0x7f, 'E', 'L', 'F', 2, 1, 1};
    header.type = 2;
    header.machine = 62;
    header.version = 1;
    header.entry = 0x400800;
    header.phoff = sizeof(FileHeader);
    header.ehsize = sizeof(FileHeader);
    header.phentsize = sizeof(ProgramHeader);
    segments.push_back(load(5, 0, 0x400000, 0x1000, 0x1000));
    segments.push_back(load(6, 0x1010, 0x401010, 0x100, 0x2000));
  }

  static ProgramHeader load(std::uint32_t flags, std::uint64_t offset, std::uint64_t address,
                            std::uint64_t file_bytes, std::uint64_t memory_bytes) {
    return {1, flags, offset, address, address, file_bytes, memory_bytes, 0x1000};
  }
  static ProgramHeader other(std::uint32_t type, std::uint64_t offset, std::uint64_t bytes) {
    return {type, 4, offset, 0, 0, bytes, bytes, 1};
  }
  static ElfBuilder position_independent() {
    ElfBuilder elf;
    elf.header.type = 3;
    elf.header.entry -= 0x400000;
    for (ProgramHeader& s : elf.segments) s.vaddr -= 0x400000;
    return elf;
  }

  template <class T>
  void put(std::size_t offset, const T& value) {
    std::memcpy(content.data() + offset, &value, sizeof value);
  }

  [[nodiscard]] std::vector<std::byte> file() {
    header.phnum = static_cast<std::uint16_t>(segments.size());
    return file_as_is();
  }
  [[nodiscard]] std::vector<std::byte> file_as_is() {
    put(0, header);
    for (std::size_t i = 0; i < segments.size(); ++i)
      put(sizeof header + i * sizeof(ProgramHeader), segments[i]);
    return content;
  }
};

}  // namespace test
