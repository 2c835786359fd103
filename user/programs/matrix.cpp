// matrix [SIZE [ROUNDS]]: multiplies square matrices of doubles, SIZE (64) by SIZE, ROUNDS (4)
// times. Every value is an integer that a double holds exactly, so each product is checked without
// tolerance against its row sums. Prints a digest of all products.
#include <array>

#include "user/lib/checks.hpp"
#include "user/lib/print.hpp"
#include "user/lib/start.hpp"

namespace {

constexpr std::uint64_t most = 128;
constexpr std::uint64_t digest_prime = 0x100000001b3;  // FNV-1a

using Row = std::array<double, most>;
using Matrix = std::array<Row, most>;

Matrix left, right, product;

// Small integers: a product's sums stay far below 2^53.
void fill(Matrix& matrix, std::uint64_t size, std::uint64_t seed) {
  for (std::uint64_t i = 0; i < size; ++i)
    for (std::uint64_t j = 0; j < size; ++j)
      matrix[i][j] = static_cast<double>((i * 31 + j * 17 + seed * 7) % 101) - 50;
}

void multiply(std::uint64_t size) {
  for (std::uint64_t i = 0; i < size; ++i) {
    Row sums{};
    for (std::uint64_t k = 0; k < size; ++k)
      for (std::uint64_t j = 0; j < size; ++j) sums[j] += left[i][k] * right[k][j];
    product[i] = sums;
  }
}

double sum(const Row& row, std::uint64_t size) {
  double total = 0;
  for (std::uint64_t j = 0; j < size; ++j) total += row[j];
  return total;
}

// (left * right) * ones must be left * (right * ones): Freivalds, "Probabilistic machines can use
// less running time", IFIP 1977. Row by row, as all values are exact.
bool is_product(std::uint64_t size) {
  Row right_sums{};
  for (std::uint64_t k = 0; k < size; ++k) right_sums[k] = sum(right[k], size);
  for (std::uint64_t i = 0; i < size; ++i) {
    double expected = 0;
    for (std::uint64_t k = 0; k < size; ++k) expected += left[i][k] * right_sums[k];
    if (sum(product[i], size) != expected) return false;
  }
  return true;
}

std::uint64_t digest_of_product(std::uint64_t size, std::uint64_t digest) {
  for (std::uint64_t i = 0; i < size; ++i)
    for (std::uint64_t j = 0; j < size; ++j)
      digest = (digest ^ static_cast<std::uint64_t>(static_cast<std::int64_t>(product[i][j]))) *
               digest_prime;
  return digest;
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t size = user::number_argument(argc, argv, 1, 64);
  const std::uint64_t rounds = user::number_argument(argc, argv, 2, 4);
  REPRISE_CHECK(size > 0 && size <= most);
  std::uint64_t digest = 0xcbf29ce484222325;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    fill(left, size, round);
    fill(right, size, round + 50);
    multiply(size);
    REPRISE_CHECK(is_product(size));
    digest = digest_of_product(size, digest);
  }
  user::print("matrix: size=", size, " rounds=", rounds, " digest=", user::Hex{digest}, "\n");
  return 0;
}
