// A value, or the reason why there is none. [[nodiscard]] makes each caller handle the error or
// pass it on.
#pragma once

#include <optional>
#include <utility>

#include "kernel/base/assert.hpp"

namespace reprise {

template <class E>
struct Failure {
  E error;
};
template <class E>
Failure(E) -> Failure<E>;

struct Done {};  // the value of a step that has no other result than success

template <class T, class E>
class [[nodiscard]] Result {
public:
  constexpr Result(T value) : value_{std::move(value)} {}
  constexpr Result(Failure<E> failure) : error_{failure.error} {}

  [[nodiscard]] constexpr explicit operator bool() const { return value_.has_value(); }
  [[nodiscard]] constexpr const T& value() const {
    REPRISE_ASSERT(value_.has_value());
    return *value_;
  }
  [[nodiscard]] constexpr T& value() {
    REPRISE_ASSERT(value_.has_value());
    return *value_;
  }
  [[nodiscard]] constexpr E error() const {
    REPRISE_ASSERT(!value_.has_value());
    return error_;
  }

private:
  std::optional<T> value_;
  E error_{};
};

}  // namespace reprise
