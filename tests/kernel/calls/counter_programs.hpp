// The programs by which init tries counters, in an address space of their own, and the kernel's own
// probe of them (REPRISE_PROBE): for tests that judge a counter as init does, without one.
#pragma once

#include <cstdint>
#include <span>

#include "kernel/calls/counter_probe.hpp"
#include "kernel/memory/address_space.hpp"
#include "user/init/counter_test.hpp"

struct CounterPrograms {
  static constexpr std::uint64_t code = 0x400000, data = 0x700000;

  // Into an empty address space, which is the processor's from then on. False: memory is exhausted.
  [[nodiscard]] static bool load(reprise::AddressSpace& space) {
    using namespace reprise;
    const std::span programs{counter_programs, counter_programs_end};
    const std::uint64_t room = (programs.size() + page_size - 1) / page_size * page_size;
    const auto map = [&space](std::uint64_t start, std::uint64_t bytes, arch::Permissions allowed) {
      const auto range = PageRange::of(UserAddr{start}, bytes);
      return range && space.map_zero(*range, allowed);
    };
    if (!map(code, room, {.execute = true}) || !map(data, page_size, {.write = true}) ||
        !space.load(UserAddr{code}, std::as_bytes(programs)) ||
        !space.own(page_of(UserAddr{data}), arch::WriteAccess::Enabled)) {
      return false;
    }
    space.table().activate();
    return true;
  }

  // What init is given.
  [[nodiscard]] static reprise::CounterProbes probes() {
    const auto probe_once = [](reprise::CounterProbe& probe) {
      static constinit arch::UserState state{};
      static_cast<void>(reprise::probe_counter(probe, state));
    };
    return {probe_once, code, data};
  }
};
