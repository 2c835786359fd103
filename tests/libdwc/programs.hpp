// Small programs that tests name by what they do, and a machine with a process to run one.
#pragma once

#include <cstdint>
#include <vector>

#include "tests/libdwc/fake_process.hpp"

namespace fake {

inline constexpr Page page_of(std::size_t i) { return static_cast<Page>(i); }

// Every PE: counts up in register 1, stores it in the first word of each of the first `pages`
// pages, adds it to the extended state, then logs it. For ever.
inline Program touch_pages(std::size_t pages) {
  Program program{{.op = Op::AddImmediate, .a = 1, .value = 1}};
  for (std::size_t i = 0; i < pages; ++i) {
    program.push_back({.op = Op::Immediate, .a = 4, .value = i * page_bytes});
    program.push_back({.op = Op::Store, .a = 1, .b = 4});
  }
  program.push_back({.op = Op::ToExtended, .a = 3, .b = 1});
  program.push_back({.op = Op::Immediate, .a = 0, .value = static_cast<std::uint64_t>(Call::Log)});
  program.push_back({.op = Op::SystemCall});
  program.push_back({.op = Op::Immediate, .a = 7, .value = 1});
  program.push_back({.op = Op::BranchNonzero, .a = 7, .value = 0});
  return program;
}

// One PE for each list: counts up in register 1, stores it in the first word of each page of the
// list, then logs it.
inline Program write_pages(const std::vector<std::vector<std::size_t>>& by_pe) {
  Program program;
  for (const std::vector<std::size_t>& pages : by_pe) {
    program.push_back({.op = Op::AddImmediate, .a = 1, .value = 1});
    for (const std::size_t page : pages) {
      program.push_back({.op = Op::Immediate, .a = 4, .value = page * page_bytes});
      program.push_back({.op = Op::Store, .a = 1, .b = 4});
    }
    program.push_back(
        {.op = Op::Immediate, .a = 0, .value = static_cast<std::uint64_t>(Call::Log)});
    program.push_back({.op = Op::SystemCall});
  }
  return program;
}

// In one PE: a store to each of `pages` pages in turn; then an exit.
inline Program sweep(std::size_t pages) {
  Program program = touch_pages(pages);
  program.resize(program.size() - 4);
  program.push_back({.op = Op::Immediate, .a = 0, .value = static_cast<std::uint64_t>(Call::Exit)});
  program.push_back({.op = Op::SystemCall});
  return program;
}

inline Program endless_loop() {
  return {{.op = Op::Immediate, .a = 1, .value = 1}, {.op = Op::BranchNonzero, .a = 1, .value = 0}};
}

inline dwc::Settings settings(dwc::Policy policy = dwc::Policy::Rotate) {
  return {.policy = policy, .limit_ticks = 100'000, .second_run_slack_ticks = 1000};
}

// Pages are the process's own and writable; `spare_frames` are left for the engine.
template <class M = Machine>
struct World {
  World(const Program& program, std::size_t pages, std::size_t spare_frames,
        const dwc::Settings& chosen = settings())
      : machine{program, pages, pages + spare_frames}, process{machine, chosen} {
    for (std::size_t i = 0; i < pages; ++i) machine.give_page(page_of(i), true);
  }

  std::uint64_t word(std::size_t page, std::size_t at) const {
    return machine.content(page_of(page))[at];
  }
  std::uint64_t& live(std::size_t word) { return machine.registers().word[word]; }
  const dwc::Statistics& statistics() const { return process.statistics(); }

  M machine;
  Process<typename M::Engine> process;
};

// What a fault-free plain run of the same program has reached after `pes` PEs.
struct Reference {
  Reference(const Program& program, std::size_t pages) : machine{program, pages, pages} {
    for (std::size_t i = 0; i < pages; ++i) machine.give_page(page_of(i), true);
  }
  void run_pe() {
    const dwc::PeEnd end = process.run(~std::uint64_t{0});
    machine.complete();
    process.serve(end);
  }
  Machine machine;
  PlainProcess process{machine};
};

}  // namespace fake
