#include "kernel/process/initial_stack.hpp"

#include <array>

#include "arch/machine.hpp"
#include "kernel/base/memory_map.hpp"

namespace reprise {
namespace {

// Auxiliary vector tags as Linux numbers them (getauxval(3), <elf.h>).
enum class Aux : std::uint64_t {
  Null = 0,
  ProgramHeaders = 3,
  ProgramHeaderSize = 4,
  ProgramHeaderCount = 5,
  PageSize = 6,
  Base = 7,
  Flags = 8,
  Entry = 9,
  Uid = 11,
  Euid = 12,
  Gid = 13,
  Egid = 14,
  Hardware = 16,
  ClockTicks = 17,
  Secure = 23,
  Random = 25,
  ExecName = 31,
};

// Fills the stack from the top down, as strings, and then from the bottom up, as words.
class StackBuilder {
public:
  explicit StackBuilder(AddressSpace& space) : space_{space} {}

  std::uint64_t push_bytes(const void* data, std::size_t size, std::size_t alignment) {
    if (size + alignment > room()) return fail();
    top_ = (top_ - size) & ~static_cast<std::uint64_t>(alignment - 1);
    store(top_, data, size);
    return top_;
  }
  std::uint64_t push_string(std::string_view text) {
    const char end = '\0';
    if (text.size() + 2 > room()) return fail();
    top_ -= text.size() + 1;
    store(top_, text.data(), text.size());
    store(top_ + text.size(), &end, 1);
    return top_;
  }
  // Reserves `count` words, 16-byte aligned; they are then filled one by one.
  std::uint64_t begin_words(std::size_t count) {
    if (count * 8 + 16 > room()) return fail();
    top_ = (top_ - count * 8) & ~15ull;
    next_word_ = top_;
    return top_;
  }
  void word(std::uint64_t value) {
    if (!ok_) return;
    store(next_word_, &value, sizeof value);
    next_word_ += sizeof value;
  }
  void aux(Aux tag, std::uint64_t value) {
    word(static_cast<std::uint64_t>(tag));
    word(value);
  }
  [[nodiscard]] bool ok() const { return ok_; }

private:
  [[nodiscard]] std::uint64_t room() const { return top_ - (stack_high - max_initial_stack); }
  std::uint64_t fail() {
    ok_ = false;
    return stack_high - max_initial_stack;
  }
  void store(std::uint64_t address, const void* data, std::size_t size) {
    if (!ok_) return;
    const std::span bytes{static_cast<const std::byte*>(data), size};
    if (!space_.load(UserAddr{address}, bytes)) ok_ = false;
  }

  AddressSpace& space_;
  std::uint64_t top_ = stack_high;
  std::uint64_t next_word_ = 0;
  bool ok_ = true;
};

constexpr std::size_t max_strings = 256;
using Pointers = std::array<std::uint64_t, max_strings>;

std::size_t push_strings(StackBuilder& stack, std::span<const std::string_view> strings,
                         Pointers& pointers) {
  const std::size_t count = strings.size() < max_strings ? strings.size() : max_strings;
  for (std::size_t i = 0; i < count; ++i) pointers[i] = stack.push_string(strings[i]);
  return count;
}

}  // namespace

Result<InitialStack, MemoryError> build_initial_stack(
    AddressSpace& space, std::span<const std::string_view> arguments,
    std::span<const std::string_view> environment, const ElfImage& image,
    const reprise_start& start) {
  StackBuilder stack{space};
  Pointers argv, envp;
  const std::size_t argc = push_strings(stack, arguments, argv);
  const std::size_t envc = push_strings(stack, environment, envp);
  const std::array<std::uint64_t, 2> random{arch::entropy(), arch::entropy()};
  const std::uint64_t random_at = stack.push_bytes(random.data(), sizeof random, 16);
  const std::uint64_t start_at = stack.push_bytes(&start, sizeof start, 16);

  constexpr std::size_t aux_entries = 17;
  const std::uint64_t sp = stack.begin_words(1 + argc + 1 + envc + 1 + 2 * aux_entries);
  stack.word(argc);
  for (std::size_t i = 0; i < argc; ++i) stack.word(argv[i]);
  stack.word(0);
  for (std::size_t i = 0; i < envc; ++i) stack.word(envp[i]);
  stack.word(0);
  stack.aux(Aux::ProgramHeaders, image.header_table.value());
  stack.aux(Aux::ProgramHeaderSize, image.header_bytes);
  stack.aux(Aux::ProgramHeaderCount, image.header_count);
  stack.aux(Aux::PageSize, page_size);
  stack.aux(Aux::Base, 0);
  stack.aux(Aux::Flags, 0);
  stack.aux(Aux::Entry, image.entry.value());
  stack.aux(Aux::Uid, 0);
  stack.aux(Aux::Euid, 0);
  stack.aux(Aux::Gid, 0);
  stack.aux(Aux::Egid, 0);
  stack.aux(Aux::Hardware, arch::hardware_capabilities());
  stack.aux(Aux::ClockTicks, 100);
  stack.aux(Aux::Secure, 0);
  stack.aux(Aux::Random, random_at);
  stack.aux(Aux::ExecName, argc != 0 ? argv[0] : 0);
  stack.aux(Aux::Null, 0);
  if (!stack.ok()) return Failure{MemoryError::Exhausted};
  return InitialStack{UserAddr{sp}, UserAddr{start_at}};
}

}  // namespace reprise
