// See real_guest.hpp.
#include "user/monitor/real_guest.hpp"

#include "kernel/abi/reprise.h"
#include "user/lib/calls.hpp"
#include "user/lib/ipc.hpp"

namespace monitor {
namespace {

constexpr std::uint64_t piece = 65'536;

std::uint64_t address_of(const void* pointer) { return reinterpret_cast<std::uint64_t>(pointer); }

}  // namespace

bool RealGuest::make() {
  user::Words words{REPRISE_NEW_GUEST};
  if (user::call(REPRISE_INIT, words) < 0) return false;
  number_ = words[0];
  return number_ != 0;
}

bool RealGuest::give_memory(std::uint64_t bytes) {
  return user::raw_call(REPRISE_GUEST_MAP, number_, 0, bytes) == 0;
}

bool RealGuest::copy(std::uint64_t call, std::uint64_t address, std::uint64_t buffer,
                     std::uint64_t bytes) const {
  for (std::uint64_t done = 0; done < bytes;) {
    const std::uint64_t left = bytes - done;
    const std::uint64_t count = left < piece ? left : piece;
    if (user::raw_call(call, number_, address + done, buffer + done, count) != 0) return false;
    done += count;
  }
  return true;
}

bool RealGuest::read(std::uint64_t address, void* to, std::uint64_t bytes) {
  return copy(REPRISE_GUEST_READ, address, address_of(to), bytes);
}

bool RealGuest::write(std::uint64_t address, const void* from, std::uint64_t bytes) {
  return copy(REPRISE_GUEST_WRITE, address, address_of(from), bytes);
}

std::int64_t RealGuest::run(reprise_guest_run& run) {
  return user::raw_call(REPRISE_GUEST_RUN, number_, address_of(&run));
}

std::int64_t RealGuest::get_state(reprise_guest_state& state) {
  return user::raw_call(REPRISE_GUEST_STATE, number_, address_of(&state));
}

std::int64_t RealGuest::set_state(const reprise_guest_state& state) {
  return user::raw_call(REPRISE_GUEST_SET_STATE, number_, address_of(&state));
}

}  // namespace monitor
