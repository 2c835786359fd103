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
  Error error;
  std::string_view word;    // for `reprise: error code=WORD`
  std::string_view advice;  // what is wrong and what to do
};

// In the order of the enumeration, as text_of() needs it.
inline constexpr std::array error_texts{
    ErrorText{
        .error = Error::NoProgram,
        .word = "no-program",
        .advice = "no program to run: give a boot module with the string program=NAME ARGV...",
    },
    ErrorText{
        .error = Error::EmptyModule,
        .word = "empty-module",
        .advice = "the boot module is empty: check the file that went into the image",
    },
    ErrorText{
        .error = Error::ModuleString,
        .word = "module-string",
        .advice = "the module's string must begin with program=NAME, driver=NAME, personality, "
                  "archive or init, "
                  "quotes closed, with at most 128 words and 16384 characters",
    },
    ErrorText{
        .error = Error::NotElf,
        .word = "not-elf",
        .advice = "not an ELF file: give a statically linked x86-64 Linux or Reprise program",
    },
    ErrorText{
        .error = Error::Elf32Bit,
        .word = "elf-32bit",
        .advice = "a 32-bit ELF file: build the program for x86-64 (without -m32)",
    },
    ErrorText{
        .error = Error::ElfMachine,
        .word = "elf-machine",
        .advice = "an ELF file for another machine: build the program for x86-64",
    },
    ErrorText{
        .error = Error::ElfDynamic,
        .word = "elf-dynamic",
        .advice = "dynamically linked: link it statically (gcc -static or -static-pie, or musl-gcc "
                  "-static)",
    },
    ErrorText{
        .error = Error::ElfTruncated,
        .word = "elf-truncated",
        .advice = "the ELF file ends before its headers or segments do: copy it again",
    },
    ErrorText{
        .error = Error::ElfMalformed,
        .word = "elf-malformed",
        .advice = "the ELF file's headers contradict each other: rebuild the program",
    },
    ErrorText{
        .error = Error::ElfOverlap,
        .word = "elf-overlap",
        .advice = "two segments of the ELF file share a page: link with -z separate-code",
    },
    ErrorText{
        .error = Error::ElfWritableCode,
        .word = "elf-writable-code",
        .advice = "a segment is both writable and executable: link without -z execstack or -N",
    },
    ErrorText{
        .error = Error::ElfAddress,
        .word = "elf-address",
        .advice = "a segment lies outside the addresses that programs may use",
    },
    ErrorText{
        .error = Error::NoPersonality,
        .word = "no-personality",
        .advice = "no boot module holds the personality: give the one that the build makes",
    },
    ErrorText{
        .error = Error::BadArchive,
        .word = "bad-archive",
        .advice = "the archive is not a whole cpio file in newc format: make it with cpio -H newc",
    },
    ErrorText{
        .error = Error::BadArgument,
        .word = "bad-argument",
        .advice = "unknown or malformed boot argument; docs/running.md lists them",
    },
    ErrorText{
        .error = Error::OutOfMemory,
        .word = "out-of-memory",
        .advice = "not enough memory to start the program: give the machine more (--memory)",
    },
    ErrorText{
        .error = Error::BadGrant,
        .word = "bad-grant",
        .advice = "a grant= for it names memory, the interrupt controllers or addresses that the "
                  "processor does "
                  "not have, or there are more than 16",
    },
    ErrorText{
        .error = Error::NoInit,
        .word = "no-init",
        .advice = "no boot module holds init: give the one that the build makes",
    },
    ErrorText{
        .error = Error::AbiVersion,
        .word = "abi-version",
        .advice = "built for another version of the native ABI: build it again",
    },
    ErrorText{
        .error = Error::NameTaken,
        .word = "name-taken",
        .advice = "another program or driver has that name, or it is init: give each its own",
    },
    ErrorText{
        .error = Error::NoVirtualization,
        .word = "no-virtualization",
        .advice = "a guest needs a processor with SVM (AMD-V) and nested paging, not locked by the "
                  "firmware: enable SVM in the firmware's setup, or give QEMU "
                  "-cpu qemu64,+svm,+npt",
    },
    ErrorText{
        .error = Error::GuestNotGranted,
        .word = "guest-not-granted",
        .advice = "asks for a guest and may not have any: boot argument grant=PROCESS:guest",
    },
    ErrorText{
        .error = Error::TooManyGuests,
        .word = "too-many-guests",
        .advice = "asks for one guest too many: 8 are the most of one boot",
    },
};

[[nodiscard]] consteval bool error_texts_are_in_order() {
  for (std::size_t i = 0; i < error_texts.size(); ++i) {
    if (error_texts[i].error != static_cast<Error>(i)) return false;
  }
  return error_texts.size() == static_cast<std::size_t>(Error::count);
}
static_assert(error_texts_are_in_order());

[[nodiscard]] constexpr const ErrorText& text_of(Error error) {
  return error_texts[static_cast<std::size_t>(error)];
}

// The error behind ProcessReport's `refusal`. A process may refuse itself with any number, so one
// that is no error counts as NotElf.
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
