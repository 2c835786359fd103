// Flips at random (`inject.rate=`): where and when each hits is drawn here, the kernel only carries
// it out (kernel/context/injector.hpp). A process has one ahead of it at any time, or some, where
// init is told of their fates only now and then; when it is, the next is drawn. So the same seed
// gives the same flips. And what became of a flip, told.
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
  // From now on none is planned, as before start().
  void stop() { rate_ = 0; }
  // The next one of that process, of which so many are ahead. False: the kernel does not take it.
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
