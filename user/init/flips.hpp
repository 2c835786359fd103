// Random flips (`inject.rate=`), and the lines about each flip's fate. Place and time of a flip are
// drawn here; the kernel carries it out (kernel/context/injector.hpp). Each process has one planned
// flip at a time, or a few where init hears of their fates only now and then. When a fate is known
// the next flip is drawn, so the same seed gives the same flips.
#pragma once

#include <cstdint>
#include <string_view>

#include "kernel/abi/init.hpp"
#include "user/init/word_names.hpp"

namespace reprise {

class RandomFlips {
public:
  // One flip every `rate` PEs of a process on average.
  void start(std::uint64_t seed, std::uint64_t rate);
  // Plans none from now on, as before start().
  void stop() { rate_ = 0; }
  // Plans the next flip of that process, `ahead` of which are planned at a time. False: the kernel
  // does not take it.
  bool plan(std::uint64_t process, std::uint64_t ahead);
  // The flip as plan() gives it to the kernel.
  [[nodiscard]] Injection draw(std::uint64_t process, std::uint64_t ahead);

private:
  [[nodiscard]] std::uint64_t random();
  void aim_at_register(Injection& flip);

  std::uint64_t state_ = 0;
  std::uint64_t rate_ = 0;
};

void print_flip(std::string_view process, const Injection& flip, const WordNames& names);

}  // namespace reprise
