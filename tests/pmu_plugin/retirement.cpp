// Finds the started instructions that did not retire; see retirement.hpp.
#include "retirement.hpp"

#include <array>
#include <optional>

#include "qemu_internals.hpp"

namespace pmu {
namespace {

struct Frame {
  std::uint64_t rip;
  bool has_error_code;
};

// The frame of the entry from user mode, before the kernel's first instruction has run. In 64-bit
// mode the CPU aligns the stack to 16 before it pushes five words, or six with an error code, so
// RSP tells which. If a second interrupt came on top at once, its frame leads to the first one's.
std::optional<Frame> frame_from_user() {
  constexpr int nested = 3;
  std::uint64_t stack = qemu::read_register(qemu::Register::Rsp);
  for (int level = 0; level < nested; ++level) {
    std::array<std::uint64_t, 5> words;
    const bool has_error_code = (stack & 15) == 0;
    if (!qemu::read_memory(stack + (has_error_code ? 8 : 0), words)) return std::nullopt;
    const auto [rip, cs, flags, rsp, ss] = words;
    if ((cs & 3) != 0) return Frame{rip, has_error_code};
    stack = rsp;
  }
  return std::nullopt;
}

// A block may serve several addresses that map the same page, so only the offset in the page is the
// same for sure. An instruction that does not jump never goes on to its own offset.
bool same_offset(std::uint64_t a, std::uint64_t b) { return ((a ^ b) & 0xfff) == 0; }

}  // namespace

const Instruction* Retirement::last_started() const {
  if (last_ == nullptr) return nullptr;
  const std::uint64_t count = started_[last_->ring != 0 ? 1 : 0] - before_;
  if (count == 0 || count > last_->instructions.size()) return nullptr;
  return &last_->instructions[count - 1];
}

void Retirement::settle(std::uint64_t next_address) {
  const Instruction* last = last_started();
  if (last == nullptr || !same_offset(last->address, next_address)) return;
  if (last->kind == Kind::Transfer || last->kind == Kind::SystemCall) return;
  undo_last();
}

void Retirement::undo_last() {
  --started_[last_->ring != 0 ? 1 : 0];
  ++undone_;
}

void Retirement::enter_kernel() {
  const Instruction* last = last_started();
  if (last != nullptr && last->kind == Kind::SystemCall &&
      qemu::read_register(qemu::Register::Rcx) == last->address + last->size) {
    return;
  }
  const std::optional<Frame> frame = frame_from_user();
  if (last != nullptr && frame.has_value()) {
    if (last->kind == Kind::Transfer || last->kind == Kind::SystemCall) {
      // A jump to itself that was interrupted has retired; one that faulted has not, and all
      // faults of a jump push an error code.
      if (frame->has_error_code && last->address == frame->rip) undo_last();
    } else {
      settle(frame->rip);
    }
  }
  started_[1] += gain_;
}

void Retirement::blocks_vanish() {
  if (last_ == nullptr) return;
  kept_ = *last_;
  last_ = &kept_;
}

}  // namespace pmu
