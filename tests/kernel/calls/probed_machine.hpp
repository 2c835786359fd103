// The machine of tests/arch/counting_machine.hpp with, in its memory, the programs by which init
// tries counters, and the kernel's own probe of them (REPRISE_PROBE).
#pragma once

#include "kernel/calls/counter_probe.hpp"
#include "kernel/memory/address_space.hpp"
#include "tests/arch/counting_machine.hpp"
#include "tests/arch/fake_memory.hpp"
#include "user/init/counter_test.hpp"

class ProbedMachine {
public:
  static constexpr std::uint64_t code = 0x400000, data = 0x700000;

  ProbedMachine() {
    const auto bytes = static_cast<std::size_t>(counter_programs_end - counter_programs);
    const std::uint64_t room = bytes + reprise::page_size - bytes % reprise::page_size;
    map(code, room, {.execute = true});
    map(data, reprise::page_size, {.write = true});
    if (!space_.load(reprise::UserAddr{code}, std::as_bytes(std::span{counter_programs, bytes}))) {
      throw std::logic_error("the programs do not fit");
    }
    if (!space_.own(reprise::page_of(reprise::UserAddr{data}), arch::WriteAccess::Enabled)) {
      throw std::logic_error("no memory for the data");
    }
    space_.table().activate();
  }
  ProbedMachine(const ProbedMachine&) = delete;
  ProbedMachine& operator=(const ProbedMachine&) = delete;

  // What init is given.
  [[nodiscard]] static reprise::CounterProbes probes() {
    return {[](reprise::CounterProbe& probe) {
              static_cast<void>(reprise::probe_counter(probe));
            },
            code, data};
  }

private:
  void map(std::uint64_t start, std::uint64_t bytes, arch::Permissions permissions) {
    const auto range = reprise::PageRange::of(reprise::UserAddr{start}, bytes);
    if (!space_.map_zero(range.value(), permissions)) {
      throw std::logic_error("memory is exhausted");
    }
  }

  FakeMemory memory_;
  reprise::FrameNumber zero_ = *memory_.allocate();
  reprise::AddressSpace space_ = *reprise::AddressSpace::create(memory_, zero_);
};
