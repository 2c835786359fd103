// Messages: kernel/ipc/ipc.hpp does the work, and puts into the registers what came.
#include "kernel/calls/native_calls.hpp"

namespace reprise::native_calls {

Answer send(Call& call) {
  call.keep_registers();
  return answer_of(call.machine().ipc.call(call.process()));
}

Answer receive(Call& call) {
  call.keep_registers();
  return answer_of(call.machine().ipc.receive(call.process()));
}

}  // namespace reprise::native_calls
