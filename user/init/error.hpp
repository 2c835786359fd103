// A word for scripts, a line for people that says what to do, and an exit code for each error
// (docs/log-format.md).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "kernel/base/exit_code.hpp"
#include "user/loader/error.hpp"

namespace reprise {

struct ErrorText {
  std::string_view word;    // for `reprise: error code=WORD`
  std::string_view advice;  // what is wrong and what to do
};

// In the order of the enumeration.
inline constexpr std::array<ErrorText, static_cast<std::size_t>(Error::count)> error_texts{{
    {"no-program", "no program to run: give a boot module with the string program=NAME ARGV..."},
    {"empty-module", "the boot module is empty: check the file that went into the image"},
    {"module-string",
     "the module's string must begin with program=NAME, driver=NAME, personality, archive or init, "
     "quotes closed, with at most 128 words and 16384 characters"},
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
    {"bad-archive",
     "the archive is not a whole cpio file in newc format: make it with cpio -H newc"},
    {"bad-argument", "unknown or malformed boot argument; docs/running.md lists them"},
    {"out-of-memory", "not enough memory to start the program: give the machine more (--memory)"},
    {"bad-grant",
     "a grant= for it names memory, the interrupt controllers or addresses that the processor does "
     "not have, or there are more than 16"},
    {"no-init", "no boot module holds init: give the one that the build makes"},
    {"abi-version", "built for another version of the native ABI: build it again"},
    {"name-taken", "another program or driver has that name, or it is init: give each its own"},
}};

[[nodiscard]] constexpr const ErrorText& text_of(Error error) {
  return error_texts[static_cast<std::size_t>(error)];
}

// ProcessReport's `refusal`; a process may refuse itself with any number.
[[nodiscard]] constexpr Error refused_by(std::uint64_t refusal) {
  const std::uint64_t number = refusal - 1;
  return number < error_texts.size() ? static_cast<Error>(number) : Error::NotElf;
}

[[nodiscard]] constexpr ExitCode exit_code_of(Error error) {
  return static_cast<ExitCode>(first_boot_error + static_cast<unsigned>(error));
}
static_assert(exit_code_of(Error::NoPersonality) == ExitCode::NoPersonality);
static_assert(exit_code_of(Error::OutOfMemory) == ExitCode::OutOfMemory);
static_assert(exit_code_of(Error::NoInit) == ExitCode::NoInit);

}  // namespace reprise
