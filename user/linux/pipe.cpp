#include "user/linux/pipe.hpp"

#include "user/linux/calls.hpp"
#include "user/linux/heap.hpp"
#include "user/linux/signals.hpp"

namespace personality {

namespace {

std::uint32_t least(std::uint64_t a, std::uint64_t b) {
  return static_cast<std::uint32_t>(a < b ? a : b);
}

Pipe* create_pipe() {
  Pipe* pipe = heap().create<Pipe>();
  if (pipe == nullptr) return nullptr;
  *pipe = {};
  pipe->bytes = static_cast<char*>(heap().allocate(Pipe::capacity));
  pipe->readers = 1;
  pipe->writers = 1;
  if (pipe->bytes != nullptr) return pipe;
  heap().destroy(pipe);
  return nullptr;
}

void drop_pipe(Pipe& pipe) {
  if (pipe.readers + pipe.writers != 0) return;
  heap().release(pipe.bytes, Pipe::capacity);
  heap().destroy(&pipe);
}

// Gives both ends descriptors, or neither: after a failure it closes what it has opened.
Value open_ends(Pipe& pipe, UserAddress numbers, std::uint32_t flags) {
  const bool close_on_exec = (flags & open_flags::close_on_exec) != 0;
  OpenFile* reader = create_open_file(OpenKind::PipeReader, flags, nullptr);
  OpenFile* writer =
      create_open_file(OpenKind::PipeWriter, flags | open_flags::write_only, nullptr);
  if (reader != nullptr) reader->pipe = &pipe;
  if (writer != nullptr) writer->pipe = &pipe;
  Value result = reader == nullptr || writer == nullptr ? fail(Errno::NoMemory) : 0;
  int pair[2] = {-1, -1};
  if (result == 0) result = install(*reader, 0, close_on_exec);
  if (result >= 0) {
    pair[0] = static_cast<int>(result);
    result = install(*writer, 0, close_on_exec);
  }
  if (result >= 0) {
    pair[1] = static_cast<int>(result);
    result = write_user(numbers, pair) ? 0 : fail(Errno::Fault);
  }
  if (result == 0) return 0;
  for (const int number : pair) {
    if (number >= 0) static_cast<void>(close_descriptor(number));
  }
  if (pair[0] < 0 && reader != nullptr) drop_if_unused(*reader);
  if (pair[1] < 0 && writer != nullptr) drop_if_unused(*writer);
  return result;
}

Value make(UserAddress numbers, std::uint32_t flags) {
  if ((flags & ~(open_flags::non_block | open_flags::close_on_exec)) != 0) {
    return fail(Errno::Invalid);
  }
  Pipe* pipe = create_pipe();
  return pipe == nullptr ? fail(Errno::NoMemory) : open_ends(*pipe, numbers, flags);
}

}  // namespace

Value read_pipe(Pipe& pipe, UserAddress to, std::uint64_t bytes) {
  if (pipe.count == 0) return pipe.writers == 0 || bytes == 0 ? 0 : fail(Errno::Again);
  const std::uint32_t total = least(bytes, pipe.count);
  for (std::uint32_t done = 0; done < total;) {
    const std::uint32_t length = least(total - done, Pipe::capacity - pipe.first);
    if (!copy_out(to + done, pipe.bytes + pipe.first, length)) return fail(Errno::Fault);
    pipe.first = (pipe.first + length) % Pipe::capacity;
    pipe.count -= length;
    done += length;
  }
  return total;
}

Value write_pipe(Pipe& pipe, UserAddress from, std::uint64_t bytes) {
  if (pipe.readers == 0) {
    raise_signal(signal_number::broken_pipe);
    return fail(Errno::BrokenPipe);
  }
  const std::uint32_t total = least(bytes, Pipe::capacity - pipe.count);
  if (total == 0) return bytes == 0 ? 0 : fail(Errno::Again);
  for (std::uint32_t done = 0; done < total;) {
    const std::uint32_t end = (pipe.first + pipe.count) % Pipe::capacity;
    const std::uint32_t length = least(total - done, Pipe::capacity - end);
    if (!copy_in(pipe.bytes + end, from + done, length)) return fail(Errno::Fault);
    pipe.count += length;
    done += length;
  }
  return total;
}

void leave_pipe(OpenFile& file) {
  Pipe& pipe = *file.pipe;
  if (file.kind == OpenKind::PipeReader) {
    --pipe.readers;
  } else {
    --pipe.writers;
  }
  drop_pipe(pipe);
}

Value call_pipe(Call& call) { return make(call.user(0), 0); }
Value call_pipe2(Call& call) {
  return make(call.user(0), static_cast<std::uint32_t>(call.argument[1]));
}

}  // namespace personality
