// The few macros of Catch2 that the tests use, for clang-tidy alone. The real header has 18,000
// lines and takes assertions apart into templates: each file would be looked at ten times as long.
#pragma once

#include <initializer_list>
#include <tuple>
#include <vector>

namespace lint {

void require(bool holds);
template <class T>
void show(const T& value);

template <class T, class... More>
T one_of(T first, More...) {
  return first;
}
template <class T>
T one_of(std::vector<T> all) {
  return all.front();
}

}  // namespace lint

struct Approx {
  explicit Approx(double value);
  Approx& epsilon(double value);
};
bool operator==(double value, const Approx& wanted);

namespace Catch::Generators {

template <class T>
std::vector<T> values(std::initializer_list<T> all) {
  return all;
}
template <class T>
std::vector<T> range(T first, T end) {
  return {first, end};
}
template <class Container>
std::vector<typename Container::value_type> from_range(const Container& all) {
  return {all.begin(), all.end()};
}
template <class... T>
std::vector<std::tuple<T...>> table(std::initializer_list<std::tuple<T...>> rows) {
  return rows;
}

}  // namespace Catch::Generators

// Named by a counter, not by the line: several files may be read as one.
#define LINT_JOINED(a, b) a##b
#define LINT_CASE(name) static void name()
#define LINT_CASE_METHOD(name, fixture) \
  struct name : fixture {               \
    void run();                         \
  };                                    \
  void name::run()
#define LINT_TEMPLATE_CASE(name, first, ...)                 \
  template <class TestType>                                  \
  static void name();                                        \
  static const auto LINT_JOINED(used_, name) = &name<first>; \
  template <class TestType>                                  \
  static void name()
#define LINT_NAME(prefix, number) LINT_JOINED(prefix, number)
#define TEST_CASE(...) LINT_CASE(LINT_NAME(lint_case_, __COUNTER__))
#define TEST_CASE_METHOD(fixture, ...) LINT_CASE_METHOD(LINT_NAME(LintCase, __COUNTER__), fixture)
#define TEMPLATE_TEST_CASE(text, tags, ...) \
  LINT_TEMPLATE_CASE(LINT_NAME(lint_case_, __COUNTER__), __VA_ARGS__, )
#define SECTION(...) if (static bool lint_section = true; lint_section)

#define REQUIRE(...) ::lint::require(static_cast<bool>(__VA_ARGS__))
#define REQUIRE_FALSE(...) ::lint::require(!static_cast<bool>(__VA_ARGS__))
#define REQUIRE_NOTHROW(...) static_cast<void>(__VA_ARGS__)
#define REQUIRE_THROWS_AS(expression, type) \
  try {                                     \
    static_cast<void>(expression);          \
  } catch (const type&) {                   \
    ::lint::require(true);                  \
  }
#define CHECK REQUIRE
#define CHECK_FALSE REQUIRE_FALSE
#define CHECK_THROWS_AS REQUIRE_THROWS_AS

#define GENERATE(...)                   \
  [&] {                                 \
    using namespace Catch::Generators;  \
    return ::lint::one_of(__VA_ARGS__); \
  }()
#define CAPTURE(...) ::lint::show(__VA_ARGS__)
#define FAIL(...) ::lint::require(false)
#define INFO(...) static_cast<void>(0)
