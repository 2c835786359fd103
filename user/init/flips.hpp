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

// Whose registers a flip can hit.
struct FlipVictim {
  std::uint64_t process = 0;
  std::uint64_t ahead = 1;  // so many of its flips are planned at a time
  bool guest = false;       // has a guest's registers, too
};

class RandomFlips {
public:
  // One flip every `rate` PEs of a process on average.
  void start(std::uint64_t seed, std::uint64_t rate);
  // Plans none from now on, as before start().
  void stop() { rate_ = 0; }
  // Plans the victim's next flip. False: the kernel does not take it.
  bool plan(const FlipVictim& victim);
  // The flip as plan() gives it to the kernel.
  [[nodiscard]] Injection draw(const FlipVictim& victim);

private:
  [[nodiscard]] std::uint64_t random();
  void aim_at_register(Injection& flip, bool guest);

  std::uint64_t state_ = 0;
  std::uint64_t rate_ = 0;
};

void print_flip(std::string_view process, const Injection& flip, const WordNames& names);

}  // namespace reprise
