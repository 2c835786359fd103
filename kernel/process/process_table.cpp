#include "kernel/process/process_table.hpp"

#include "arch/direct_map.hpp"

namespace reprise {

void* ProcessTable::take_place(FrameAllocator& frames) {
  REPRISE_ASSERT(!full());
  if (free_place_count_ != 0) {
    --free_place_count_;
    return free_places_[free_place_count_];
  }
  const auto first = frames.allocate_adjacent(round_up(sizeof(Process)) >> page_shift);
  return first ? arch::frame_words(*first).data() : nullptr;
}

void ProcessTable::remove(Process& process) {
  const std::size_t index = index_of(process.number());
  REPRISE_ASSERT(index != none && processes_[index] == &process && process.has_ended());
  process.~Process();
  free_places_[free_place_count_] = &process;
  ++free_place_count_;
  --count_;
  for (std::size_t i = index; i < count_; ++i) processes_[i] = processes_[i + 1];
}

Process* ProcessTable::find(std::uint64_t number) {
  const std::size_t index = index_of(number);
  return index == none ? nullptr : processes_[index];
}

// As long as no process was removed, number n stands at n - 1; from then on it stands before that.
std::size_t ProcessTable::index_of(std::uint64_t number) const {
  if (number == 0 || number > last_number_) return none;
  const bool hint_fits = number <= count_;
  for (std::size_t i = hint_fits ? static_cast<std::size_t>(number) : count_; i != 0; --i) {
    const std::uint64_t found = processes_[i - 1]->number();
    if (found == number) return i - 1;
    if (found < number) return none;
  }
  return none;
}

}  // namespace reprise
