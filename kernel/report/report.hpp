// The figures at a process's end and at shutdown (docs/log-format.md has every field).
#pragma once

#include <string_view>

#include "kernel/dwc/injector.hpp"
#include "kernel/process/process_table.hpp"

namespace reprise {

[[nodiscard]] std::string_view name_of(dwc::PeEnd::Kind kind);

// The `exit` event, and the process's figures as the report= argument asks.
void print_process_end(Process& process, const Settings& settings);

void print_final_report(ProcessTable& table, const Injector& injector, const Settings& settings);

}  // namespace reprise
