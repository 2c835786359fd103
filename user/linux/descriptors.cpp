#include "user/linux/descriptors.hpp"

#include "user/linux/heap.hpp"
#include "user/linux/limits.hpp"
#include "user/linux/pipe.hpp"

namespace personality {

namespace {

struct Slot {
  OpenFile* file;
  bool close_on_exec;  // only F_GETFD reports it: there is no exec
};

constinit Slot slots[descriptor_limit] = {};
constinit OpenFile standard_input{}, standard_output{}, standard_errors{};

}  // namespace

void initialise_descriptors() {
  // The first reference stays for ever: the three are never destroyed.
  standard_input = OpenFile{.kind = OpenKind::Input, .stream = Stream::Input, .references = 1};
  standard_output = OpenFile{.kind = OpenKind::Output,
                             .stream = Stream::Output,
                             .flags = open_flags::write_only,
                             .references = 1};
  standard_errors = standard_output;
  standard_errors.stream = Stream::Errors;
  install_at(standard_input, 0, false);
  install_at(standard_output, 1, false);
  install_at(standard_errors, 2, false);
}

OpenFile* descriptor(int number) {
  return number >= 0 && number < descriptor_limit ? slots[number].file : nullptr;
}

bool is_close_on_exec(int number) { return slots[number].close_on_exec; }
void set_close_on_exec(int number, bool value) { slots[number].close_on_exec = value; }

Value install(OpenFile& file, int lowest, bool close_on_exec) {
  const int limit = open_file_limit();
  for (int number = lowest; number < limit; ++number) {
    if (slots[number].file != nullptr) continue;
    install_at(file, number, close_on_exec);
    return number;
  }
  return fail(Errno::TooManyFiles);
}

void install_at(OpenFile& file, int number, bool close_on_exec) {
  ++file.references;
  if (slots[number].file != nullptr) static_cast<void>(close_descriptor(number));
  slots[number] = {.file = &file, .close_on_exec = close_on_exec};
}

Value close_descriptor(int number) {
  OpenFile* file = descriptor(number);
  if (file == nullptr) return fail(Errno::BadFile);
  slots[number] = {};
  --file->references;
  drop_if_unused(*file);
  return 0;
}

OpenFile* create_open_file(OpenKind kind, std::uint32_t flags, Node* node) {
  OpenFile* file = heap().create<OpenFile>();
  if (file == nullptr) return nullptr;
  file->kind = kind;
  file->flags = flags & ~open_flags::close_on_exec;
  file->node = node;
  if (node != nullptr) tree().hold(*node);
  return file;
}

void drop_if_unused(OpenFile& file) {
  if (file.references != 0) return;
  drop_lock(file);
  if (file.pipe != nullptr) leave_pipe(file);
  if (file.node != nullptr) tree().let_go(*file.node);
  heap().destroy(&file);
}

}  // namespace personality
