// See calls.hpp.
#include "user/lib/calls.hpp"

namespace user {
namespace {

std::uint64_t number_of(const volatile void* pointer) {
  return reinterpret_cast<std::uint64_t>(pointer);
}

}  // namespace

void exit(int status) {
  for (;;) raw_call(REPRISE_EXIT, static_cast<std::uint64_t>(status & 0xff));
}

std::int64_t log(std::string_view text) {
  return raw_call(REPRISE_LOG, number_of(text.data()), text.size());
}

std::int64_t map(std::uint64_t address, std::size_t bytes, unsigned protection, unsigned flags) {
  return raw_call(REPRISE_MAP, address, bytes, protection, flags);
}

std::int64_t unmap(std::uint64_t address, std::size_t bytes) {
  return raw_call(REPRISE_UNMAP, address, bytes);
}

std::int64_t protect(std::uint64_t address, std::size_t bytes, unsigned protection) {
  return raw_call(REPRISE_PROTECT, address, bytes, protection);
}

std::int64_t set_base(unsigned which, std::uint64_t address) {
  return raw_call(REPRISE_SET_BASE, which, address);
}

std::int64_t time() { return raw_call(REPRISE_TIME); }

std::int64_t sleep_until(std::uint64_t nanoseconds) { return raw_call(REPRISE_SLEEP, nanoseconds); }

std::int64_t yield() { return raw_call(REPRISE_YIELD); }

std::int64_t read_log(std::span<char> buffer, unsigned output) {
  return raw_call(REPRISE_LOG_READ, number_of(buffer.data()), buffer.size(), output);
}

std::int64_t device_write(std::uint64_t physical, std::span<const std::byte> bytes) {
  return raw_call(REPRISE_DEVICE_WRITE, physical, number_of(bytes.data()), bytes.size());
}

std::int64_t entropy() { return raw_call(REPRISE_ENTROPY); }

std::int64_t self() { return raw_call(REPRISE_SELF); }

std::int64_t resume(const reprise_frame& frame) {
  return raw_call(REPRISE_RESUME, number_of(&frame));
}

}  // namespace user
