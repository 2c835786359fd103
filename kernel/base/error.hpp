// Every way in which what the machine was given can be wrong. Each has a word for scripts, a line
// for people that says what to do, and an exit code of its own (docs/log-format.md).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace reprise {

enum class Error : std::uint8_t {
  NoProgram,  // no boot module with the role program=
  EmptyModule,
  ModuleString,  // a module's string has no known role, or quotes that never close
  NotElf,
  Elf32Bit,
  ElfMachine,       // not x86-64
  ElfDynamic,       // has an interpreter: not statically linked
  ElfTruncated,     // a header or a segment lies outside the file
  ElfMalformed,     // sizes or offsets that contradict each other
  ElfOverlap,       // two segments claim the same page
  ElfWritableCode,  // a segment both writable and executable
  ElfAddress,       // a segment outside the user half, or where the personality lives
  NoPersonality,    // no module with the role personality, or not its flat image
  BadArchive,
  BadArgument,  // unknown or malformed boot argument
  OutOfMemory,  // the machine has too little memory for what it was asked to start
  BadGrant,     // memory of the kernel's, or too many for one process
  count
};

struct ErrorText {
  std::string_view word;    // for `reprise: error code=WORD`
  std::string_view advice;  // what is wrong and what to do
};

// In the order of the enumeration.
inline constexpr std::array<ErrorText, static_cast<std::size_t>(Error::count)> error_texts{{
    {"no-program", "no program to run: give a boot module with the string program=NAME ARGV..."},
    {"empty-module", "the boot module is empty: check the file that went into the image"},
    {"module-string",
     "the module's string must begin with program=NAME, personality or archive, quotes closed"},
    {"not-elf", "not an ELF file: give a statically linked x86-64 Linux or Reprise program"},
    {"elf-32bit", "a 32-bit ELF file: build the program for x86-64 (without -m32)"},
    {"elf-machine", "an ELF file for another machine: build the program for x86-64"},
    {"elf-dynamic",
     "dynamically linked: link it statically (gcc -static or -static-pie, or musl-gcc -static)"},
    {"elf-truncated", "the ELF file ends before its headers or segments do: copy it again"},
    {"elf-malformed", "the ELF file's headers contradict each other: rebuild the program"},
    {"elf-overlap", "two segments of the ELF file share a page: link with -z separate-code"},
    {"elf-writable-code",
     "a segment is both writable and executable: link without -z execstack or -N"},
    {"elf-address", "a segment lies outside the addresses that programs may use"},
    {"no-personality", "no boot module holds the personality: give the one that the build makes"},
    {"bad-archive", "the archive is not a whole cpio file in newc format: make it with cpio -H newc"},
    {"bad-argument", "unknown or malformed boot argument; docs/running.md lists them"},
    {"out-of-memory", "not enough memory to start the program: give the machine more (--memory)"},
    {"bad-grant",
     "a grant= for it names memory or an interrupt controller's page, or there are more than 16"},
}};

[[nodiscard]] constexpr const ErrorText& text_of(Error error) {
  return error_texts[static_cast<std::size_t>(error)];
}

// What QEMU's isa-debug-exit device is given; QEMU then exits with (value << 1) | 1.
enum class ExitCode : std::uint8_t {
  Clean = 0x10,
  ProgramFailed = 0x11,
  MismatchStanding = 0x12,
  Panic = 0x13,
  MachineUnfit = 0x14,
  FirstBootError = 0x20,  // + Error
};

[[nodiscard]] constexpr ExitCode exit_code_of(Error error) {
  return static_cast<ExitCode>(static_cast<unsigned>(ExitCode::FirstBootError) +
                               static_cast<unsigned>(error));
}

}  // namespace reprise
