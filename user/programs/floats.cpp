// floats [STEPS]: scalar floating point in registers. Integrates 4 / (1 + x^2) from 0 to 1 by the
// midpoint rule in STEPS (200,000) steps, and checks that pi comes out.
#include "user/lib/checks.hpp"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"

namespace {

constexpr double pi = 3.14159265358979323846;

double integral(std::uint64_t steps) {
  const double width = 1.0 / static_cast<double>(steps);
  double sum = 0;
  for (std::uint64_t i = 0; i < steps; ++i) {
    const double x = (static_cast<double>(i) + 0.5) * width;
    sum += 4.0 / (1.0 + x * x);
  }
  return sum * width;
}

// The rule's error is width^2 / 12 to the first order (Davis and Rabinowitz, "Methods of Numerical
// Integration", section 2.1); rounding adds less than 1e-10.
double tolerance(std::uint64_t steps) {
  const double width = 1.0 / static_cast<double>(steps);
  return width * width / 10 + 1e-10;
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t steps = user::number_argument(argc, argv, 1, 200'000);
  REPRISE_CHECK(steps > 0);
  const double error = integral(steps) - pi;
  REPRISE_CHECK(error < tolerance(steps) && -error < tolerance(steps));
  user::print("floats: steps=", steps, " pi found\n");
  return 0;
}
