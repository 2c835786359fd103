// Every way in which what the machine was given can be wrong. Each has a word for scripts, a line
// for people that says what to do, and an exit code of its own (docs/log-format.md).
#pragma once

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
  count
};

struct ErrorText {
  std::string_view word;    // for `reprise: error code=WORD`
  std::string_view advice;  // what is wrong and what to do
};

[[nodiscard]] const ErrorText& text_of(Error error);

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
