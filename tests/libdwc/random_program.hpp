// Random programs for the fake machine that always come to an end: straight pieces of work, bounded
// loops, calls and faults, with a liking for the places where mistakes hide (a page's first and
// last word, two pages in one instruction, pages that several pieces write again and again).
#pragma once

#include <cstdint>
#include <random>

#include "tests/libdwc/fake_machine.hpp"

namespace fake {

class Random {
public:
  explicit Random(std::uint64_t seed) : engine_{seed} {}
  // Below `bound`; every seed gives the same numbers everywhere.
  std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  std::uint64_t any() { return engine_(); }
  // A word of a page: its first, its last, or any.
  std::size_t word();

private:
  std::mt19937_64 engine_;
};

Program random_program(Random& random, std::size_t pages);

// Few calls and much to do in between: tight loops, loops in which every register repeats and only
// memory or extended state moves on, repeated stores over many pages, instructions that a single
// step skips. One in eight never ends.
struct ComputeProgram {
  Program program;
  bool endless;
};
ComputeProgram compute_program(Random& random, std::size_t pages);

// Pages of all kinds, the same on every machine that is given the same seed.
void lay_out_pages(Machine& machine, std::uint64_t seed);

}  // namespace fake
