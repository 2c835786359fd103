// No counter: the second run is stopped by a breakpoint at the first run's RIP alone.
#pragma once

#include "arch/x86_64/counter.hpp"

namespace arch::x86 {

class Landmark final : public CounterBackEnd {
public:
  [[nodiscard]] Limits limits() const override { return {"landmark", 0, 0}; }
  [[nodiscard]] bool announced() const override { return true; }
  [[nodiscard]] bool start() override { return true; }
  void enter(std::uint64_t) override {}
  Stint left(std::uint64_t) override { return {}; }
};
inline constinit Landmark landmark;
inline constexpr CounterFacts landmark_facts{.name = "landmark", .counts = false};

}  // namespace arch::x86
