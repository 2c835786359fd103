// Writing to the log, and sending it out.
#include "kernel/base/arithmetic.hpp"
#include "kernel/calls/native_calls.hpp"

namespace reprise::native_calls {

Answer log(Call& call) {
  const std::uint64_t text = call.first(), flags = call.third();
  const std::uint64_t size = smaller(call.second(), REPRISE_LOG_BYTES);
  Log& log = call.machine().log;
  if (!call.space().readable(UserAddr{text}, size)) return Failure{REPRISE_BAD_ADDRESS};
  if ((flags & REPRISE_LOG_LINES) != 0) log.go_to_margin();
  for (std::uint64_t done = 0; done < size;) {
    const auto piece = call.space().bytes_at(UserAddr{text + done}, size - done);
    log.write({reinterpret_cast<const char*>(piece.data()), piece.size()});
    done += piece.size();
  }
  return static_cast<std::int64_t>(size);
}

Answer log_read(Call& call) {
  const std::uint64_t buffer = call.first(), output = call.third();
  if (!call.process().sends_log()) return Failure{REPRISE_NOT_GRANTED};
  if (output >= Log::outputs) return Failure{REPRISE_BAD_ARGUMENT};
  const std::uint64_t room = smaller(call.second(), REPRISE_LOG_BYTES);
  if (const Outcome ready = call.prepare(buffer, room); !ready) return answer_of(ready);
  const auto text = call.machine().log.read(call.process().number(), output, room);
  const Outcome written = call.gate().write_bytes(UserAddr{buffer}, std::as_bytes(text));
  REPRISE_ASSERT(written);  // the buffer was prepared
  return static_cast<std::int64_t>(text.size());
}

}  // namespace reprise::native_calls
