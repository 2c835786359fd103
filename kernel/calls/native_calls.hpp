// The calls that all programs may make, by topic; kernel/abi/reprise.h says what each does.
#pragma once

#include "kernel/calls/call.hpp"

namespace reprise::native_calls {

// lifecycle_calls.cpp
[[nodiscard]] Answer exit(Call& call);
[[nodiscard]] Answer refuse(Call& call);
[[nodiscard]] Answer self(Call& call);

// memory_calls.cpp
[[nodiscard]] Answer map(Call& call);
[[nodiscard]] Answer unmap(Call& call);
[[nodiscard]] Answer protect(Call& call);
[[nodiscard]] Answer map_file(Call& call);
[[nodiscard]] Answer usage(Call& call);

// time_calls.cpp
[[nodiscard]] Answer time(Call& call);
[[nodiscard]] Answer sleep(Call& call);
[[nodiscard]] Answer yield(Call& call);
[[nodiscard]] Answer alarm(Call& call);
[[nodiscard]] Answer interrupt(Call& call);
[[nodiscard]] Answer entropy(Call& call);

// log_calls.cpp
[[nodiscard]] Answer log(Call& call);
[[nodiscard]] Answer log_read(Call& call);

// handler_calls.cpp
[[nodiscard]] Answer set_base(Call& call);
[[nodiscard]] Answer set_handler(Call& call);
[[nodiscard]] Answer resume(Call& call);

// message_calls.cpp
[[nodiscard]] Answer send(Call& call);
[[nodiscard]] Answer receive(Call& call);

// device_calls.cpp
[[nodiscard]] Answer map_device(Call& call);
[[nodiscard]] Answer device_write(Call& call);

// guest_calls.cpp
[[nodiscard]] Answer guest_map(Call& call);
[[nodiscard]] Answer guest_write(Call& call);
[[nodiscard]] Answer guest_read(Call& call);
[[nodiscard]] Answer guest_state(Call& call);
[[nodiscard]] Answer guest_set_state(Call& call);
[[nodiscard]] Answer guest_run(Call& call);

}  // namespace reprise::native_calls
