// What the kernel answers to the program, made the same for both processes: time stands on a clock
// of calls, random numbers repeat, what is printed is kept as a hash. All other calls and the
// exceptions go to the kernel's own code.
#pragma once

#include <cstdint>
#include <optional>

#include "kernel/machine.hpp"
#include "kernel/process/process.hpp"
#include "tests/qemu/ground_truth/trace.hpp"

namespace ground_truth {

// What is left of a program that has ended.
struct Result {
  std::uint8_t status = 0;
  std::uint64_t output_bytes = 0;
  std::uint64_t output = 0, memory = 0;  // hashes
  std::uint64_t ends = 0;                // calls and exceptions that were served
  friend bool operator==(const Result&, const Result&) = default;
};

class Answers {
public:
  explicit Answers(reprise::Machine& system) : machine_{system} {}

  // Serves an end of a PE once; the program's result when that was its last.
  [[nodiscard]] std::optional<Result> serve(reprise::Process& process, const dwc::PeEnd& end);

private:
  [[nodiscard]] Result finish(reprise::Process& process, std::uint8_t status);
  [[nodiscard]] std::optional<Result> serve_call(reprise::Process& process);
  [[nodiscard]] std::optional<std::uint64_t> own_answer(reprise::Process& process);
  [[nodiscard]] std::uint64_t log(reprise::Process& process);

  reprise::Machine& machine_;
  Result result_;
  Hash output_;
  std::uint64_t time_ = 0;
};

}  // namespace ground_truth
