// File descriptors: a table of references to open files, as Linux has it (dup shares the offset).
#pragma once

#include <cstdint>

#include "user/linux/errno.hpp"
#include "user/linux/nodes.hpp"

namespace personality {

enum class OpenKind : std::uint8_t {
  File,
  Directory,
  Path,
  Input,
  Output,
  Null,
  Zero,
  Full,
  Random,
  PipeReader,
  PipeWriter
};

namespace open_flags {  // Linux O_* bits
inline constexpr std::uint32_t access_mode = 3, write_only = 1, read_write = 2, create = 0100,
                               exclusive = 0200, truncate = 01000, append = 02000,
                               non_block = 04000, directory = 0200000, no_follow = 0400000,
                               close_on_exec = 02000000, path = 010000000, temporary = 020000000;
}

// Of OpenKind::Input and Output: the terminal, or a standard stream (streams.hpp).
enum class Stream : std::uint8_t { Console, Input, Output, Errors };

struct Pipe;

enum class FileLock : std::uint8_t { None, Shared, Exclusive };

struct OpenFile {
  OpenKind kind = OpenKind::Null;
  Stream stream = Stream::Console;
  FileLock lock = FileLock::None;  // by flock
  std::uint32_t flags = 0;
  std::uint32_t references = 0;  // descriptors
  Node* node = nullptr;          // held; nullptr for the terminal and pipes
  Pipe* pipe = nullptr;
  std::uint64_t offset = 0;

  [[nodiscard]] bool may_read() const {
    return (flags & open_flags::access_mode) != open_flags::write_only && kind != OpenKind::Path;
  }
  [[nodiscard]] bool may_write() const {
    return (flags & open_flags::access_mode) != 0 && kind != OpenKind::Path;
  }
};

inline constexpr int descriptor_limit = 1024;

void initialise_descriptors();  // 0, 1 and 2: the standard streams

[[nodiscard]] OpenFile* descriptor(int number);  // nullptr: not open
[[nodiscard]] bool is_close_on_exec(int number);
void set_close_on_exec(int number, bool value);

// The lowest free number from `lowest` on takes a reference to the file; EMFILE.
[[nodiscard]] Value install(OpenFile& file, int lowest, bool close_on_exec);
// At exactly this number, which is closed first.
void install_at(OpenFile& file, int number, bool close_on_exec);
[[nodiscard]] Value close_descriptor(int number);

// With no reference yet; nullptr: no memory. Takes a hold on the node.
[[nodiscard]] OpenFile* create_open_file(OpenKind kind, std::uint32_t flags, Node* node);
void drop_if_unused(OpenFile& file);

void drop_lock(OpenFile& file);  // locks.cpp

}  // namespace personality
