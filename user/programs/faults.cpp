// faults KIND: does one forbidden thing. The kernel must stop this program, and no other. Status 3:
// it was not stopped.
#include "user/lib/calls.hpp"
#include "user/lib/instructions.hpp"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"

namespace {

void write_to(std::uint64_t address) { *reinterpret_cast<volatile std::uint64_t*>(address) = 1; }
std::uint64_t read_from(std::uint64_t address) {
  return *reinterpret_cast<const volatile std::uint64_t*>(address);
}
void jump_to(std::uint64_t address) { reinterpret_cast<void (*)()>(address)(); }

void null() { read_from(0); }
void code() { write_to(0x400000); }
void constant() { write_to(reinterpret_cast<std::uint64_t>("a text in read-only memory")); }
void data() {
  static volatile std::uint64_t instructions = 0xc3;  // RET, if it were executable
  jump_to(reinterpret_cast<std::uint64_t>(&instructions));
}
void kernel() { read_from(0xffffffff80000000); }
void kernel_write() { write_to(0xffff800000000000); }
void kernel_jump() { jump_to(0xffffffff80000000); }
void noncanonical() { read_from(0x8000000000000000); }

// With an opaque divisor, so that the compiler cannot know it is zero.
void divide() {
  volatile std::uint64_t zero = 0;
  volatile std::uint64_t one = 1;
  one = one / zero;
}

// Ends at a depth that no stack has.
[[gnu::noinline]] std::uint64_t descend(std::uint64_t depth) {
  volatile std::uint64_t kept[64];
  kept[0] = depth;
  return depth == ~std::uint64_t{0} ? 0 : descend(depth + 1) + kept[0];
}
void stack() { descend(0); }
void guard_low() { write_to(user::start_information().stack_low - 8); }
void guard_high() { write_to(user::start_information().stack_high); }

struct Kind {
  std::string_view name;
  void (*commit)();
};
constexpr Kind kinds[] = {
    {"null", null},
    {"code", code},
    {"constant", constant},
    {"data", data},
    {"kernel", kernel},
    {"kernel-write", kernel_write},
    {"kernel-jump", kernel_jump},
    {"noncanonical", noncanonical},
    {"div0", divide},
    {"ud2", user::undefined_instruction},
    {"int3", user::breakpoint},
    {"gp", user::halt},
    {"stack", stack},
    {"guard-low", guard_low},
    {"guard-high", guard_high},
};

}  // namespace

int main(int argc, char** argv) {
  const std::string_view wanted = user::text_argument(argc, argv, 1);
  for (const Kind& kind : kinds) {
    if (kind.name != wanted) continue;
    user::print("faults: ", kind.name, "\n");
    kind.commit();
    user::print("faults: ", kind.name, " was not stopped\n");
    return 3;
  }
  user::print("faults: say which:");
  for (const Kind& kind : kinds) user::print(" ", kind.name);
  user::print("\n");
  return 2;
}
