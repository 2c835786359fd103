// Where a context's code lies in its space.
#pragma once

#include <cstdint>
#include <optional>

#include "arch/page_table.hpp"
#include "arch/user_state.hpp"
#include "kernel/base/address.hpp"

namespace arch {

// The page of `table` in which a context finds the code at this address: for a program the
// address's own page, for a guest the one that its page tables lead to. Nothing: none is mapped. Of
// a context that stands in a run.
[[nodiscard]] std::optional<reprise::PageNumber> code_page(const UserState& state,
                                                           const PageTable& table,
                                                           std::uint64_t address);

}  // namespace arch
