#include "user/init/settings.hpp"

#include <string>

#include "tests/catch.hpp"

using namespace reprise;

namespace {

NamedGrant parsed(std::string_view item) {
  const auto grant = parse_grant(item);
  INFO(item);
  REQUIRE(grant);
  return grant.value();
}

std::string allowed_instead_of(std::string_view item) {
  const auto grant = parse_grant(item);
  INFO(item);
  REQUIRE_FALSE(grant);
  CHECK(grant.error().argument == item);
  CHECK_FALSE(grant.error().reason.empty());
  return std::string{grant.error().allowed.view()};
}

}  // namespace

TEST_CASE("a grant names a process, a kind and a range") {
  const NamedGrant ports = parsed("uart:port:3f8-3ff");
  CHECK(ports.process == "uart");
  CHECK(ports.grant.kind == REPRISE_GRANT_PORT);
  CHECK(ports.grant.first == 0x3f8);
  CHECK(ports.grant.last == 0x3ff);
  const NamedGrant memory = parsed("timer:mmio:FED00000-fed01fff");
  CHECK(memory.grant.kind == REPRISE_GRANT_MEMORY);
  CHECK(memory.grant.first == 0xfed00000);
  CHECK(memory.grant.last == 0xfed01fff);
  const NamedGrant line = parsed("uart:irq:31");
  CHECK(line.grant.kind == REPRISE_GRANT_INTERRUPT);
  CHECK(line.grant.first == 31);
  CHECK(line.grant.last == 31);
  CHECK(parsed("uart:log").grant.kind == REPRISE_GRANT_LOG);
  const NamedGrant guests = parsed("monitor:guest");
  CHECK(guests.process == "monitor");
  CHECK(guests.grant.kind == REPRISE_GRANT_GUEST);
  CHECK(guests.grant.first == 0);
  CHECK(guests.grant.last == 0);
}

TEST_CASE("one number stands for one port, or for one page") {
  CHECK(parsed("a:port:80").grant.last == 0x80);
  CHECK(parsed("a:port:ffff").grant.last == 0xffff);
  CHECK(parsed("a:mmio:fed00000").grant.last == 0xfed00fff);
}

TEST_CASE("a malformed grant is refused, and the error names what is allowed") {
  for (const std::string_view item : {"a:port:", "a:port:10000", "a:port:9-8", "a:port:1-",
                                      "a:port:-1", "a:port:0x80", "a:port:g"})
    CHECK(allowed_instead_of(item).starts_with("port:"));
  for (const std::string_view item : {"a:mmio:", "a:mmio:1", "a:mmio:1000-1ffe", "a:mmio:2000-1fff",
                                      "a:mmio:10000000000000", "a:mmio:fffffffffffffffff"})
    CHECK(allowed_instead_of(item).starts_with("mmio:"));
  for (const std::string_view item : {"a:irq:", "a:irq:32", "a:irq:1-2", "a:irq:f"})
    CHECK(allowed_instead_of(item).starts_with("irq:"));
  for (const std::string_view item :
       {"a", "a:", "a:ports:1", "a:log:1", "a:guest:", "a:guest:2", "a:guests"})
    CHECK(allowed_instead_of(item).starts_with("KIND"));
  for (const std::string_view item : {"", ":port:80", "a b:port:80"})
    CHECK(allowed_instead_of(item).starts_with("grant="));
}
