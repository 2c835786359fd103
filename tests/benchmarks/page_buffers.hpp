// Pairs of pages, for copies from one to the other and for comparisons. All have the same content.
// Together they fill one level of the memory hierarchy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

namespace benchmarks {

inline constexpr std::size_t page_bytes = 4096;

class PageBuffers {
public:
  struct Pair {
    std::uint64_t *to, *from;
  };

  // `bytes` count both pages of a pair. Pages are shuffled, as the frames of a
  // process are.
  explicit PageBuffers(std::size_t bytes);

  [[nodiscard]] std::size_t size() const { return pairs_.size(); }
  [[nodiscard]] const Pair& operator[](std::size_t i) const { return pairs_[i]; }
  // All of it, for operations on more than a page.
  [[nodiscard]] std::uint64_t* begin() const { return memory_.get(); }

private:
  struct Free {
    void operator()(std::uint64_t* memory) const { std::free(memory); }
  };
  std::unique_ptr<std::uint64_t, Free> memory_;
  std::vector<Pair> pairs_;
};

}  // namespace benchmarks
