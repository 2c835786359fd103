// Which counter is used: the first that passes.
#include "arch/counter.hpp"
#include "arch/x86_64/counter_self_test.hpp"
#include "arch/x86_64/landmark.hpp"

namespace arch {

using namespace x86;

void start_counter(CounterChoice choice, reprise::FrameSource& frames,
                   void (*refused)(std::string_view name, std::string_view reason)) {
  const struct {
    CounterChoice choice;
    CounterBackEnd& back_end;
  } candidates[] = {{CounterChoice::Pmu, pmu_intel()},
                    {CounterChoice::Pmu, pmu_amd()},
                    {CounterChoice::Icount, icount()}};
  for (const auto& candidate : candidates) {
    CounterBackEnd& back_end = candidate.back_end;
    const bool automatic = choice == CounterChoice::Auto;
    if (automatic ? !back_end.announced() : choice != candidate.choice) continue;
    const auto result = test_counter(back_end, frames);
    if (result) return;
    refused(back_end.limits().name, result.error().view());
  }
  use_counter(landmark, landmark_facts, {});
}

}  // namespace arch
