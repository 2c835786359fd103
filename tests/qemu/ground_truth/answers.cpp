#include "tests/qemu/ground_truth/answers.hpp"

#include "arch/direct_map.hpp"
#include "arch/page_table.hpp"
#include "arch/user_state.hpp"
#include "kernel/abi/reprise.h"
#include "kernel/base/memory_map.hpp"
#include "kernel/calls/exceptions.hpp"
#include "kernel/calls/serve_call.hpp"
#include "kernel/context/gate.hpp"

namespace ground_truth {

using namespace reprise;
using arch::Register;

namespace {

std::uint64_t memory_hash(Process& process) {
  Hash hash;
  const arch::PageTable& table = process.space().table();
  const PageNumber end = page_of(UserAddr{user_high});
  std::optional<arch::Leaf> page = table.next_leaf(page_of(UserAddr{user_low}), end);
  while (page) {
    hash.add(page->page().value());
    for (const std::uint64_t word : arch::frame_words(page->mapping().frame)) hash.add(word);
    page = table.next_leaf(page->page() + 1, end);
  }
  return hash.value();
}

}  // namespace

std::optional<Result> Answers::serve(Process& process, const dwc::PeEnd& end) {
  ++result_.ends;
  if (end.kind == dwc::PeEnd::Kind::SystemCall) return serve_call(process);
  if (!serve_exception(process, end)) return finish(process, status_faulted);
  return std::nullopt;
}

std::optional<Result> Answers::serve_call(Process& process) {
  if (const auto result = own_answer(process)) {
    Gate{process.context()}.call_result(*result);
    return std::nullopt;
  }
  if (const auto ending = reprise::serve_call(machine_, process)) return finish(process, *ending);
  return std::nullopt;
}

// Nothing: the kernel serves the call.
std::optional<std::uint64_t> Answers::own_answer(Process& process) {
  constexpr std::uint64_t tick = 1'000'000;
  switch (process.context().registers()[Register::Rax]) {
    case REPRISE_LOG: return log(process);
    case REPRISE_TIME: return time_ += tick;
    case REPRISE_ENTROPY: return (time_ += tick) * 0x9e3779b97f4a7c15 >> 1;
    case REPRISE_SLEEP: return 0;
    case REPRISE_SELF: return 1;
    case REPRISE_CALL: return -std::uint64_t{REPRISE_GONE};  // neither init nor drivers
    default: return std::nullopt;
  }
}

std::uint64_t Answers::log(Process& process) {
  const arch::UserState& state = process.context().registers();
  const std::uint64_t bytes = state[Register::Rsi];
  for (std::uint64_t done = 0; done < bytes; ++done) {
    std::byte character{};
    if (!process.space().read(UserAddr{state[Register::Rdi] + done}, {&character, 1})) break;
    output_.add(std::to_integer<std::uint64_t>(character));
  }
  result_.output_bytes += bytes;
  return bytes;
}

Result Answers::finish(Process& process, std::uint8_t status) {
  result_.status = status;
  result_.output = output_.value();
  result_.memory = memory_hash(process);
  return result_;
}

}  // namespace ground_truth
