// What a C++ program of today uses: streams, containers, exceptions, long double, floating
// point formatting, static construction. All output is determined.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <map>
#include <memory>
#include <numeric>
#include <regex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

namespace {

struct Tracer {
  explicit Tracer(std::string name) : name_(std::move(name)) { std::cout << "+" << name_ << '\n'; }
  ~Tracer() { std::cout << "-" << name_ << '\n'; }
  std::string name_;
};

Tracer global("static object");

void throw_deep(int depth) {
  const Tracer local("depth " + std::to_string(depth));
  if (depth == 3) throw std::runtime_error("thrown at depth 3");
  throw_deep(depth + 1);
}

long double series(int terms) {
  long double sum = 0;
  for (int i = terms; i > 0; --i) sum += 1.0L / (static_cast<long double>(i) * i);
  return sum;
}

void containers() {
  std::map<std::string, int> counts;
  std::istringstream words("the quick brown fox jumps over the lazy dog and the cat");
  for (std::string word; words >> word;) ++counts[word];
  for (const auto& [word, count] : counts) std::cout << word << '=' << count << ' ';
  std::cout << '\n';
  std::vector<double> values(100000);
  std::iota(values.begin(), values.end(), 0.0);
  std::transform(values.begin(), values.end(), values.begin(),
                 [](double value) { return std::sqrt(value) * std::sin(value); });
  std::sort(values.begin(), values.end());
  std::cout << std::setprecision(17) << values.front() << ' ' << values.back() << ' '
            << std::accumulate(values.begin(), values.end(), 0.0) << '\n';
  std::unordered_map<int, std::unique_ptr<std::string>> owners;
  for (int i = 0; i < 1000; ++i)
    owners[i * 7919] = std::make_unique<std::string>(std::to_string(i));
  std::cout << *owners.at(999 * 7919) << ' ' << owners.size() << '\n';
}

void files() {
  {
    std::ofstream out("/tmp/cxx_features.txt");
    for (int i = 0; i < 5000; ++i) out << i << ' ' << i * i << '\n';
  }
  std::ifstream in("/tmp/cxx_features.txt");
  long lines = 0, sum = 0;
  for (long number, square; in >> number >> square; ++lines) sum += square;
  std::cout << lines << " lines, sum " << sum << '\n';
  std::ifstream missing("/nonexistent/file");
  std::cout << "missing file opens: " << missing.is_open() << '\n';
  std::remove("/tmp/cxx_features.txt");
}

}  // namespace

int main() {
  containers();
  try {
    throw_deep(1);
  } catch (const std::exception& error) {
    std::cout << "caught " << error.what() << '\n';
  }
  try {
    static_cast<void>(std::vector<int>().at(1));
  } catch (const std::out_of_range&) {
    std::cout << "caught out_of_range\n";
  }
  std::cout << std::setprecision(20) << series(100000) << ' ' << std::exp(1.0L) << ' '
            << std::fma(1.1L, 2.2L, 3.3L) << '\n';
  std::cout << std::regex_replace("2024-01-02", std::regex("(\\d+)-(\\d+)-(\\d+)"), "$3.$2.$1")
            << '\n';
  files();
  std::cout << std::flush;
  return 3;
}
