// What the tests of messages and of notes share: processes with a buffer each, and calls in their
// name.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "tests/kernel/whole_kernel/kernel.hpp"

namespace post_office {

using namespace reprise;
using arch::Register;

using Words = std::array<std::uint64_t, 3>;

inline constexpr std::uint64_t buffer = fakes::somewhere, buffer_pages = 17;
inline constexpr std::uint64_t not_mapped = buffer + buffer_pages * page_size;
inline constexpr Words question{11, 22, 33}, reply{44, 55, 66}, nothing{};

inline std::int64_t failure(reprise_error error) { return -static_cast<std::int64_t>(error); }

// Processes with a buffer each, and messages between them.
class Post {
public:
  fakes::Kernel& kernel() { return kernel_; }

  Process& add(const ProgramRequest& request = {.module = fakes::program_module}) {
    Process& process = kernel_.start(request);
    kernel_.map(process, buffer, buffer_pages);
    return process;
  }

  // What the process finds in RAX; when it waits, that is what it has put there.
  std::int64_t call(Process& from, const Process& to, const Words& words = question,
                    std::uint64_t sizes = 0, std::uint64_t at = buffer) {
    return kernel_.message(from, REPRISE_CALL, to.number(), words, at, sizes);
  }
  std::int64_t receive(Process& server, std::uint64_t room = 0) {
    return answer(server, 0, nothing, REPRISE_SIZES(0, room));
  }
  std::int64_t answer(Process& server, std::uint64_t to, const Words& words = reply,
                      std::uint64_t sizes = 0, std::uint64_t at = buffer) {
    return kernel_.message(server, REPRISE_RECEIVE, to, words, at, sizes);
  }

  static std::int64_t result(const Process& process) {
    return static_cast<std::int64_t>(fakes::Kernel::word(process, Register::Rax));
  }
  static Words words(const Process& process) {
    return {fakes::Kernel::word(process, Register::Rsi),
            fakes::Kernel::word(process, Register::Rdx),
            fakes::Kernel::word(process, Register::R10)};
  }
  static std::uint64_t bytes(const Process& process) {
    return fakes::Kernel::word(process, Register::R8);
  }
  static ContextStatus status(const Process& process) { return process.context().status; }
  static bool ready(const Process& process) { return status(process) == ContextStatus::Ready; }

  void put(Process& process, std::uint64_t at, std::string_view text) {
    kernel_.put_bytes(process, at, std::as_bytes(std::span{text}));
  }
  std::string text(const Process& process, std::uint64_t at, std::size_t size) const {
    std::string text(size, '?');
    kernel_.get_bytes(process, at, std::as_writable_bytes(std::span{text}));
    return text;
  }

private:
  fakes::Kernel kernel_;
};

inline constexpr ContextStatus calling = ContextStatus::Calling,
                               receiving = ContextStatus::Receiving;

}  // namespace post_office
