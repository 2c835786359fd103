// The machine of tests/arch/counting_machine.hpp with the counters' programs in its memory.
#pragma once

#include <stdexcept>

#include "tests/arch/counting_machine.hpp"
#include "tests/arch/fake_memory.hpp"
#include "tests/kernel/calls/counter_programs.hpp"

class ProbedMachine {
public:
  ProbedMachine() {
    if (!CounterPrograms::load(space_)) throw std::logic_error("memory is exhausted");
  }
  ProbedMachine(const ProbedMachine&) = delete;
  ProbedMachine& operator=(const ProbedMachine&) = delete;

private:
  FakeMemory memory_;
  reprise::FrameNumber zero_ = *memory_.allocate();
  reprise::AddressSpace space_ = *reprise::AddressSpace::create(memory_, zero_);
};
