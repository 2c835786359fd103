// A process's own end, and who it is.
#include "kernel/calls/native_calls.hpp"

namespace reprise::native_calls {
namespace {

constexpr std::uint64_t most_refusals = 64;  // more than there are errors

}  // namespace

Answer exit(Call& call) {
  call.end_with(static_cast<std::uint8_t>(call.first()));
  return 0;
}

Answer refuse(Call& call) {
  const std::uint64_t error = call.first();
  if (error >= most_refusals) return Failure{REPRISE_BAD_ARGUMENT};
  call.process().ending.refusal = error + 1;
  call.end_with(status_refused);
  return 0;
}

Answer self(Call& call) { return static_cast<std::int64_t>(call.process().number()); }

}  // namespace reprise::native_calls
