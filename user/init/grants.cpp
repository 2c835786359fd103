// Reads a grant (settings.hpp): PROCESS:port:LOW[-HIGH], PROCESS:mmio:FIRST[-LAST] (both in
// hexadecimal), PROCESS:irq:LINE, PROCESS:log or PROCESS:guest. The error names the wrong part, and
// what may stand there.
#include "user/init/settings.hpp"
#include "user/init/words.hpp"

namespace reprise {
namespace {

// One number, or two with a dash between.
bool read_range(std::string_view text, std::uint64_t highest, reprise_grant& grant) {
  const Cut parts = cut(text, '-');
  return read_hexadecimal(parts.head, highest, grant.first) &&
         read_hexadecimal(parts.tail.value_or(parts.head), highest, grant.last) &&
         grant.first <= grant.last;
}

bool whole_pages(reprise_grant& grant, bool single) {
  if (single) grant.last = grant.first + (page_size - 1);
  return grant.first % page_size == 0 && (grant.last + 1) % page_size == 0;
}

}  // namespace

Result<NamedGrant, ArgumentError> parse_grant(std::string_view item) {
  constexpr std::uint64_t highest_address = (1ull << 52) - 1, lines = 32;
  const Cut name = cut(item, ':');
  const Cut kind = cut(name.tail.value_or(""), ':');
  NamedGrant result{name.head, {}};
  reprise_grant& grant = result.grant;
  const auto wrong = [&](std::string_view reason, std::string_view allowed) {
    return Failure{
        ArgumentError{item, reason.empty() ? "a part is missing" : reason, TextLine{allowed}}};
  };
  if (!is_process_name(name.head)) return wrong("no process", "grant=PROCESS:KIND:...");
  const std::string_view range = kind.tail.value_or("");
  if (kind.head == "port") {
    grant.kind = REPRISE_GRANT_PORT;
    if (!read_range(range, 0xffff, grant)) return wrong(range, "port:LOW[-HIGH], hexadecimal");
  } else if (kind.head == "mmio") {
    grant.kind = REPRISE_GRANT_MEMORY;
    if (!read_range(range, highest_address, grant) ||
        !whole_pages(grant, !cut(range, '-').tail.has_value()))
      return wrong(range, "mmio:FIRST[-LAST], hexadecimal, whole pages of 1000");
  } else if (kind.head == "irq") {
    grant.kind = REPRISE_GRANT_INTERRUPT;
    if (!read_number(range, 0, lines - 1, grant.first)) return wrong(range, "irq:LINE, 0 to 31");
    grant.last = grant.first;
  } else if (kind.head == "log" && !kind.tail) {
    grant.kind = REPRISE_GRANT_LOG;
  } else if (kind.head == "guest" && !kind.tail) {
    grant.kind = REPRISE_GRANT_GUEST;
  } else {
    return wrong(kind.head, "KIND: port, mmio, irq, log or guest");
  }
  return result;
}

}  // namespace reprise
