#include "tests/benchmarks/turns.hpp"

#include <algorithm>

namespace {

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

void benchmarks::Turns::report() {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < ours_.size(); ++i) ratios.push_back(reference_[i] / ours_[i]);
  const double bytes = static_cast<double>(in_turn * bytes_);
  state_.counters["bytes_per_second"] = bytes / median(ours_);
  state_.counters["reference_bytes_per_second"] = bytes / median(reference_);
  state_.counters["ratio"] = median(ratios);
}
