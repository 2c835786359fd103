#include "kernel/process/process.hpp"

#include <utility>

#include "kernel/context/gate.hpp"

namespace reprise {

Process::Process(std::uint64_t number, AddressSpace space, const ProgramFacts& program,
                 const ContextSettings& settings, const ContextResources& resources,
                 std::optional<Guest> guest)
    : number_{number},
      program_{program},
      space_{std::move(space)},
      context_{number, space_, settings, resources, std::move(guest)} {}

bool Process::sends_log() const { return program_.grants.allow(REPRISE_GRANT_LOG, 0, 0); }

void Process::end(std::uint8_t status) {
  ending.status = status;
  Gate{context_}.end();
}

}  // namespace reprise
