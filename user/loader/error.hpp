// The errors in what a boot is given: modules, arguments, memory. The loader refuses a file with
// these numbers (REPRISE_REFUSE). Init has a word, a line and an exit code for each
// (user/init/error.hpp, docs/log-format.md).
#pragma once

#include <cstdint>

namespace reprise {

enum class Error : std::uint8_t {
  NoProgram,  // no boot module with the role program=
  EmptyModule,
  ModuleString,  // a module's string has no known role, quotes that never close, or is too long
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
  BadArgument,       // unknown or malformed boot argument
  OutOfMemory,       // the machine has too little memory for the program
  BadGrant,          // memory of the kernel's, or too many for one process
  NoInit,            // no module with the role init
  AbiVersion,        // a native program for another version of the ABI
  NameTaken,         // a program or driver named like another, or like init
  NoVirtualization,  // this machine cannot run guests
  GuestNotGranted,   // a process asks for a guest and has no grant of guests
  TooManyGuests,     // of this boot
  count
};

}  // namespace reprise
