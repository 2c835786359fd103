// Round robin at the ends of processing elements: whoever is ready runs one PE, then the next one.
// When nobody is ready the machine idles until a sleeper's time or a key.
#pragma once

#include "kernel/console/input.hpp"
#include "kernel/process/process.hpp"

namespace reprise {

class Scheduler {
public:
  Scheduler(ProcessTable& table, ConsoleInput& input) : table_{table}, input_{input} {}

  // The process whose turn it is, Ready or (with input for it) Reading; nullptr when all have
  // ended.
  [[nodiscard]] Process* next();

private:
  // Nanoseconds until the process can run, as far as that is known; 0: now.
  [[nodiscard]] std::uint64_t wait_of(const Process& process, Nanoseconds now) const;

  ProcessTable& table_;
  ConsoleInput& input_;
  std::size_t last_ = 0;
};

}  // namespace reprise
