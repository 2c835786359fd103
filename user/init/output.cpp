#include "user/init/output.hpp"

#include <array>
#include <span>

#include "user/init/words.hpp"
#include "user/lib/calls.hpp"

namespace reprise {
namespace {

constinit std::array<char, 3000> lines{};
constinit std::size_t used = 0;

}  // namespace

void flush_output() {
  if (used == 0) return;
  user::raw_call(REPRISE_LOG, reinterpret_cast<std::uint64_t>(lines.data()), used,
                 REPRISE_LOG_LINES);
  used = 0;
}

void print_whole_line(std::string_view prefix, std::string_view text) {
  if (used + prefix.size() + text.size() + 1 > lines.size()) flush_output();
  for (const std::string_view part : {prefix, text, std::string_view{"\n"}}) {
    used += copy_text(part, std::span{lines}.subspan(used));
  }
}

}  // namespace reprise
