// kerneljump OFFSET LOW HIGH: spins for LOW, LOW + 1 ... HIGH - 1 instructions and goes each time
// to the kernel's address of that offset, which ring 3 may not execute. A time limit may end the
// run just there, before the fault. (It jumps by IRET: behind other jumps QEMU checks for
// interrupts only after the fetch.)
#include "user/lib/checks.hpp"
#include "user/lib/exceptions.hpp"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"

namespace {

constexpr std::uint64_t kernel_base = 0xffffffff80000000;
constinit std::uint64_t target = 0, faults = 0;

void go_back(reprise_frame& frame) {
  REPRISE_CHECK(frame.vector == 14);
  REPRISE_CHECK(frame.rip == target);
  ++faults;
  frame.rip = frame.rbx;
}

}  // namespace

int main(int argc, char** argv) {
  target = kernel_base + user::number_argument(argc, argv, 1, 0);
  const std::uint64_t low = user::number_argument(argc, argv, 2, 1);
  const std::uint64_t high = user::number_argument(argc, argv, 3, 2);
  user::handle_exceptions(go_back);
  for (std::uint64_t length = low; length < high; ++length) {
    std::uint64_t left = length;
    asm volatile(
        "lea 2f(%%rip), %%rbx\n"
        "mov %%rsp, %%rdx\n"
        "mov %%ss, %%eax\n"
        "push %%rax\n"
        "push %%rdx\n"
        "pushf\n"
        "mov %%cs, %%eax\n"
        "push %%rax\n"
        "push %1\n"
        "1: loop 1b\n"
        "iretq\n"
        "2:"
        : "+c"(left)
        : "r"(target)
        : "rax", "rbx", "rdx", "memory");
  }
  user::stop_handling_exceptions();
  REPRISE_CHECK(faults == high - low);
  user::print("kerneljump: ", faults, " faults\n");
  return 0;
}
