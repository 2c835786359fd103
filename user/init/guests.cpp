// Makes guests for their monitors (REPRISE_NEW_GUEST, kernel/abi/guest.h). From then on a guest is
// a program like any: it has a name, flips and a report. But its end and its status are its
// monitor's matter: docs/guests.md.
#include "user/init/guests.hpp"

#include "user/init/event_line.hpp"
#include "user/init/kernel.hpp"
#include "user/init/programs.hpp"
#include "user/init/report.hpp"

namespace reprise {
namespace {

Error error_of(std::int64_t started) {
  return started == -REPRISE_NOT_GRANTED ? Error::NoVirtualization : Error::OutOfMemory;
}

}  // namespace

// The first name that is free; a boot module may have one, too.
std::optional<TextLine> Programs::free_guest_name() {
  for (std::size_t number = 1; number <= most_guests; ++number) {
    const TextLine name = guest_name(number);
    if (find_called(name.view()) == nullptr) return name;
  }
  return std::nullopt;
}

std::span<Program> Programs::start_guest(const Program& monitor, const Settings& settings) {
  if (!monitor.makes_guests) {
    print_error(Error::GuestNotGranted, monitor.called());
    return {};
  }
  const std::optional<TextLine> name = free_guest_name();
  if (!name) {
    print_error(Error::TooManyGuests, monitor.called());
    return {};
  }
  ProgramRequest request;
  request.monitor = monitor.process;
  request.hardened = settings.hardens(name->view()) ? 1 : 0;
  request.priority = settings.priority_of(name->view());
  const std::int64_t started = start_program(request);
  if (started < 0) {
    fail(error_of(started), name->view());
    return {};
  }
  Program& guest = add(name->view(), static_cast<std::uint64_t>(started), settings);
  guest.guest = true;
  return {&guest, 1};
}

}  // namespace reprise
