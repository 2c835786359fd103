// Flips on purpose.
#include "kernel/base/arithmetic.hpp"
#include "kernel/calls/init_calls.hpp"

namespace reprise::init_calls {
namespace {

// Those that have not struck, of all processes.
void forget_all(ProcessTable& processes) {
  for (std::size_t i = 0; i < processes.size(); ++i) processes[i].context().injector.forget();
}

std::size_t register_words_of(const Context& context) {
  return context.guest() ? register_words : program_register_words;
}

bool is_valid(const Injection& flip, const Context& context) {
  const std::size_t words = flip.is_register() ? register_words_of(context) : words_per_page;
  const bool has_offset = flip.offset != 0;
  return flip.target <= Injection::Target::SnapshotPage &&
         flip.moment <= Injection::Moment::Offset && flip.bit <= 63 && flip.word < words &&
         has_offset == (flip.moment == Injection::Moment::Offset) &&
         is_between<std::uint64_t>(1, flip.run, 2);
}

}  // namespace

Answer inject(Call& call) {
  const std::uint64_t address = call.first();
  ProcessTable& processes = call.machine().processes;
  if (address == 0) {
    forget_all(processes);
    return 0;
  }
  Injection flip;
  if (const Outcome read = call.get(address, flip); !read) return answer_of(read);
  Process* const process = processes.find(flip.process);
  if (process == nullptr || !process->context().hardened() || !is_valid(flip, process->context())) {
    return Failure{REPRISE_BAD_ARGUMENT};
  }
  Context& context = process->context();
  if (flip.random != 0) flip.element += context.engine().pe_number();
  if (!context.injector.plan(flip)) return Failure{REPRISE_NO_MEMORY};
  return 0;
}

}  // namespace reprise::init_calls
