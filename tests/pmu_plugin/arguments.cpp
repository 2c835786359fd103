// The plugin's arguments; see arguments.hpp.
#include "arguments.hpp"

#include <charconv>
#include <cstdio>
#include <string_view>

namespace pmu {
namespace {

bool parse_number(std::string_view text, std::uint64_t low, std::uint64_t high,
                  std::uint64_t& number) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc{} && stop == end && number >= low && number <= high;
}

bool parse_switch(std::string_view text, bool& value) {
  value = text == "on";
  return text == "on" || text == "off";
}

bool parse_one(std::string_view key, std::string_view value, Arguments& into) {
  std::uint64_t number = 0;
  if (key == "width" && parse_number(value, 32, 56, number)) {
    into.width = static_cast<unsigned>(number);
    return true;
  }
  if (key == "gain" && parse_number(value, 0, 1000, number)) {
    into.gain = static_cast<unsigned>(number);
    return true;
  }
  if (key == "delay") return parse_number(value, 0, 1'000'000'000, into.delay);
  if (key == "calm") return parse_number(value, 0, 1'000'000'000, into.calm);
  if (key == "seed") return parse_number(value, 0, ~std::uint64_t{0}, into.seed);
  if (key == "stale") return parse_switch(value, into.stale);
  if (key == "report") return parse_switch(value, into.report);
  if (key == "trace") return parse_switch(value, into.trace);
  return false;
}

}  // namespace

std::optional<Arguments> parse_arguments(int count, char** texts) {
  Arguments result;
  for (int i = 0; i < count; ++i) {
    const std::string_view text = texts[i];
    const std::size_t equals = text.find('=');
    const std::string_view value =
        equals == text.npos ? std::string_view{} : text.substr(equals + 1);
    if (parse_one(text.substr(0, equals), value, result)) continue;
    std::fprintf(stderr,
                 "pmu_plugin: cannot take \"%s\"; arguments are width=32..56 delay=INSTRUCTIONS "
                 "calm=INTERRUPTS seed=NUMBER gain=0..1000 stale=on|off report=on|off "
                 "trace=on|off\n",
                 texts[i]);
    return std::nullopt;
  }
  return result;
}

}  // namespace pmu
