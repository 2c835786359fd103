#include "kernel/console/line.hpp"

#include "arch/machine.hpp"

namespace reprise {
namespace {

bool at_margin = true;

void write_whole_line(std::string_view prefix, std::string_view text) {
  if (!at_margin) arch::write_console("\n");
  arch::write_console(prefix);
  arch::write_console(text);
  arch::write_console("\n");
  at_margin = true;
}

bool needs_quotes(std::string_view value) {
  if (value.empty()) return true;
  for (char c : value) {
    if (c <= ' ' || c == '"' || c == '\\' || c == 0x7f) return true;
  }
  return false;
}

}  // namespace

void Line::put(char c) {
  if (used_ < buffer_.size()) buffer_[used_++] = c;
}

Line& Line::text(std::string_view text) {
  for (char c : text) put(c);
  return *this;
}

Line& Line::number(std::uint64_t value) {
  std::array<char, 20> digits;
  std::size_t first = digits.size();
  do {
    digits[--first] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  return text({digits.data() + first, digits.size() - first});
}

Line& Line::hex(std::uint64_t value) {
  text("0x");
  unsigned shift = 60;
  while (shift > 0 && (value >> shift) == 0) shift -= 4;
  for (;; shift -= 4) {
    put("0123456789abcdef"[(value >> shift) & 15]);
    if (shift == 0) return *this;
  }
}

Line& Line::fraction(std::uint64_t numerator, std::uint64_t denominator) {
  if (denominator == 0) return text("-");
  const std::uint64_t whole = numerator / denominator;
  const std::uint64_t cents = (numerator % denominator) * 100 / denominator;
  number(whole).put('.');
  put(static_cast<char>('0' + cents / 10));
  put(static_cast<char>('0' + cents % 10));
  return *this;
}

void Line::print() const { write_whole_line("[reprise] ", view()); }

EventLine::EventLine(std::string_view event) { line_.text(event); }

EventLine& EventLine::key(std::string_view key) {
  line_.put(' ');
  line_.text(key).put('=');
  return *this;
}

EventLine& EventLine::field(std::string_view key, std::uint64_t value) {
  this->key(key);
  line_.number(value);
  return *this;
}

EventLine& EventLine::field(std::string_view key, std::string_view value) {
  this->key(key);
  if (!needs_quotes(value)) {
    line_.text(value);
    return *this;
  }
  line_.put('"');
  for (char c : value) {
    if (c == '"' || c == '\\') line_.put('\\');
    line_.put(c >= ' ' && c != 0x7f ? c : '?');
  }
  line_.put('"');
  return *this;
}

EventLine& EventLine::hex(std::string_view key, std::uint64_t value) {
  this->key(key);
  line_.hex(value);
  return *this;
}

void EventLine::print() const { write_whole_line("reprise: ", line_.view()); }

void print_for_program(std::string_view text) {
  if (text.empty()) return;
  arch::write_console(text);
  at_margin = text.back() == '\n';
}

}  // namespace reprise
