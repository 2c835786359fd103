#include "kernel/dwc/core.hpp"

#include "arch/counter.hpp"
#include "arch/direct_map.hpp"
#include "arch/guest_state.hpp"
#include "arch/guest_walk.hpp"
#include "arch/stepping.hpp"
#include "arch/user_state.hpp"
#include "kernel/base/memory_map.hpp"

namespace reprise {

dwc::Counter KernelCore::counter() const {
  const CounterSettings& counter = arch::counter();
  return {counter.kind != CounterKind::Landmark, counter.margin, counter.tolerance};
}

void KernelCore::complete() {
  arch::save_rest(*live_);
  start_ = nullptr;
}

void KernelCore::restart_count() {
  arch::restart_count();
  engine_stop_ = 0;
  if (observed_) stop_at_count(0);
}

void KernelCore::stop_at_count(std::uint64_t count) {
  engine_stop_ = count;
  if (!observed_) return arch::stop_at_count(count);
  const std::uint64_t observed = observer_.next_stop();
  const bool observer_first = count == 0 || (observed != 0 && observed < count);
  arch::stop_at_count(observer_first ? observed : count);
}

bool KernelCore::stopped_for_observer() {
  if (!observed_) return false;
  const std::uint64_t observed = observer_.next_stop();
  if (observed == 0 || arch::count() < observed) return false;
  complete();
  observer_.stopped_at(arch::count());
  load();
  if (engine_stop_ != 0 && arch::count() >= engine_stop_) return false;
  stop_at_count(engine_stop_);
  return true;
}

// A program's RIP may be a kernel address: the time limit can end a run between a wild jump and its
// fault. A breakpoint there would fire in ring 0, so it is not armed.
void KernelCore::break_at(std::optional<std::uint64_t> rip) {
  const bool safe = rip && (*rip < user_high || live_->virtual_cpu != nullptr);
  stepper_.watch(safe ? std::optional{UserAddr{*rip}} : std::nullopt);
  code_bytes_ = nullptr;  // another run has other frames
}

void KernelCore::step(const Registers& target) {
  CodeBuffer buffer;
  stepper_.begin(*live_, target, code_at_rip(buffer));
}

// An exception that a guest takes at the instruction comes first.
bool KernelCore::repeats() {
  if (live_->virtual_cpu != nullptr && arch::event_waits(*live_)) return false;
  CodeBuffer buffer;
  return arch::shape_of(code_at_rip(buffer)).kind == arch::InstructionShape::Kind::Repeated;
}

// As many bytes as are mapped; copied only where they lie in two pages.
std::span<const std::uint8_t> KernelCore::code_at_rip(CodeBuffer& buffer) {
  const UserAddr rip{(*live_)[arch::Register::Rip]};
  const auto head = code_in_page(rip, buffer.size());
  if (head.empty() || head.size() == buffer.size()) return head;
  __builtin_memcpy(buffer.data(), head.data(), head.size());
  const auto tail = code_in_page(rip + head.size(), buffer.size() - head.size());
  if (!tail.empty()) __builtin_memcpy(buffer.data() + head.size(), tail.data(), tail.size());
  return std::span{buffer}.first(head.size() + tail.size());
}

// Many steps are taken in one page: it is looked up once. A guest may change its own tables.
std::span<const std::uint8_t> KernelCore::code_in_page(UserAddr at, std::size_t most) {
  const bool is_guest = live_->virtual_cpu != nullptr;
  if (code_bytes_ == nullptr || is_guest || page_of(at) != code_page_) {
    const auto page = arch::code_page(*live_, table_, at.value());
    const auto mapping = page ? table_.find(*page) : std::nullopt;
    if (!mapping || !mapping->permissions.read) return {};
    code_page_ = page_of(at);
    const auto words = arch::frame_words(mapping->frame);
    code_bytes_ = reinterpret_cast<const std::uint8_t*>(words.data());
  }
  const std::size_t offset = at.value() % page_size, left = page_size - offset;
  return {code_bytes_ + offset, most < left ? most : left};
}

void KernelCore::run_begins(dwc::WhichRun run, const Registers& start) {
  observed_ = observer_.watches();
  if (observed_) return begin_observed(run, start);
  start_ = &start;
  arch::begin_as(*live_, start);
}

// What a flip may strike has to be whole.
void KernelCore::begin_observed(dwc::WhichRun run, const Registers& start) {
  dwc::copy_words(*live_, start);
  start_ = nullptr;
  observer_.run_begins(run);
}

// A stop that the run did not come to must not stop anybody else.
void KernelCore::run_ended(dwc::WhichRun) {
  if (observed_) observer_.run_ended();
  engine_stop_ = 0;
  arch::stop_at_count(0);
}

}  // namespace reprise
