#include "kernel/log/line.hpp"

#include "kernel/log/log.hpp"

namespace reprise {
namespace {

bool at_margin = true;

}  // namespace

void print_whole_line(std::string_view prefix, std::string_view text) {
  go_to_margin();
  for (const std::string_view part : {prefix, text, std::string_view{"\n"}}) {
    kernel_log.write(part);
  }
  at_margin = true;
}

void go_to_margin() {
  if (!at_margin) kernel_log.write("\n");
  at_margin = true;
}

void print_for_program(std::string_view text) {
  if (text.empty()) return;
  kernel_log.write(text);
  at_margin = text.back() == '\n';
}

}  // namespace reprise
