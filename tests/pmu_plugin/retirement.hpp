// Counts retired instructions. TCG only reports that an instruction is about to run. Some started
// instructions do not retire: one that faults, one that TCG starts a second time (a store into its
// own block's page, a 16-byte atomic), and every iteration of a REP but the last.
//
// So an addition inside the translated code counts each start. The last start of a block is judged
// when the next address is known. The same instruction again means "not retired", unless the
// instruction jumps. After an entry from ring 3 into the kernel, the next address of ring 3 lies in
// the frame that the CPU pushed.
#pragma once

#include <cstdint>
#include <vector>

#include "instruction_kind.hpp"
#include "pmu_model.hpp"

namespace pmu {

struct Instruction {
  std::uint64_t address;
  std::uint16_t size;
  Kind kind;
};

// What the translator knew about one translation block.
struct Block {
  std::uint64_t address = 0;
  unsigned ring = 0;
  unsigned sure = 0;  // instructions that retire if none faults: a REP may need many passes
  std::vector<Instruction> instructions;
};

class Retirement {
public:
  // `gain` is added to the user's count at each interrupt and exception taken in user mode.
  explicit Retirement(unsigned gain) : gain_{gain} {}

  // The translated code adds one here for each start of an instruction.
  [[nodiscard]] std::uint64_t* started(unsigned ring) { return &started_[ring != 0 ? 1 : 0]; }

  // All retired instructions, without those of the block that runs now.
  [[nodiscard]] Retired now() const { return {started_[1], started_[0]}; }

  // All starts, also those of instructions that did not retire. A delay is measured in starts, so
  // an interrupt may come in the middle of a REP.
  [[nodiscard]] std::uint64_t steps() const { return started_[0] + started_[1] + undone_; }

  // The CPU is about to run `next`. True if it has just entered user mode.
  bool enter(const Block& next) {
    const bool entered_user = next.ring != 0 && ring_ == 0;
    stands_at(next.ring, next.address);
    last_ = &next;
    before_ = started_[next.ring != 0 ? 1 : 0];
    return entered_user;
  }

  // The CPU stands between two blocks, in `ring`, at `address`.
  void stands_at(unsigned ring, std::uint64_t address) {
    if (ring == 0 && ring_ != 0) {
      enter_kernel();
    } else if (last_ != nullptr) {
      settle(address);
    }
    last_ = nullptr;
    ring_ = ring;
  }

  // QEMU drops its blocks. This keeps the facts about the last one that are still needed.
  void blocks_vanish();

private:
  void settle(std::uint64_t next_address);
  void enter_kernel();
  void undo_last();
  [[nodiscard]] const Instruction* last_started() const;

  std::uint64_t started_[2] = {};  // ring 0, user mode
  std::uint64_t undone_ = 0;
  std::uint64_t before_ = 0;     // started_ of last_'s ring when last_ began
  const Block* last_ = nullptr;  // the block that ran last, until it is judged
  Block kept_;
  unsigned ring_ = 0;
  unsigned gain_;
};

}  // namespace pmu
