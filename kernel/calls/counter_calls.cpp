// The instruction counter, as init tries and chooses it.
#include "arch/interrupts.hpp"
#include "kernel/calls/counter_probe.hpp"
#include "kernel/calls/init_calls.hpp"

namespace reprise::init_calls {

// Until this call nothing counts, and the breakpoint leads second runs (landmark).
Answer counter(Call& call) {
  CounterSettings settings;
  if (const Outcome read = call.get(call.first(), settings); !read) return answer_of(read);
  if (const Outcome used = use_counter(settings); !used) return answer_of(used);
  arch::forget_longest_hold();  // interrupts do not wait for the probes any more
  call.machine().longest_pe = {};
  return 0;
}

Answer probe(Call& call) {
  const std::uint64_t address = call.first();
  Cpu& cpu = call.machine().cpu;
  if (const Outcome read = call.get(address, cpu.probe); !read) return answer_of(read);
  if (const Outcome ready = call.prepare(address, sizeof cpu.probe); !ready) {
    return answer_of(ready);
  }
  const Outcome probed = probe_counter(cpu.probe, cpu.probe_registers);
  call.gate().own_writes();
  if (!probed) return answer_of(probed);
  return answer_of(call.put(address, cpu.probe));
}

}  // namespace reprise::init_calls
