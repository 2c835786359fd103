// The texts behind the errors; the order is that of the enumeration.
#include "kernel/base/error.hpp"

#include <array>
#include <cstddef>

namespace reprise {
namespace {

constexpr std::array<ErrorText, static_cast<std::size_t>(Error::count)> texts{{
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
    {"bad-archive",
     "the archive is not a whole cpio file in newc format: make it with cpio -H newc"},
    {"bad-argument", "unknown or malformed boot argument; docs/running.md lists them"},
    {"out-of-memory", "not enough memory to start the program: give the machine more (--memory)"},
}};

}  // namespace

const ErrorText& text_of(Error error) { return texts[static_cast<std::size_t>(error)]; }

}  // namespace reprise
