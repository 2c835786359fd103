#include "arch/features.hpp"

#include "arch/power.hpp"
#include "arch/serial.hpp"
#include "arch/x86_64/features.hpp"
#include "kernel/base/text_line.hpp"

namespace arch {

using namespace x86;

void require_features() {
  reprise::TextLine missing;
  for (const Feature& need : {feature::msr, feature::pge, feature::apic, feature::fxsr,
                              feature::sse2, feature::nx, feature::syscall}) {
    if (!has(need)) missing.append(missing.view().empty() ? "" : ",", need.name);
  }
  if (missing.view().empty()) return;
  write_emergency(reprise::TextLine{"[reprise] This CPU lacks what Reprise needs: ", missing,
                                    "\nreprise: error code=machine-unfit missing=", missing, "\n"}
                      .view());
  exit_machine(reprise::ExitCode::MachineUnfit);
}

}  // namespace arch
