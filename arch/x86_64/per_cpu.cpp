#include "arch/x86_64/per_cpu.hpp"

namespace arch {

constinit x86::PerCpu x86::boot_cpu{};

}  // namespace arch
