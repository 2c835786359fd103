// The figures at a process's end and at shutdown (docs/log-format.md has every field).
#pragma once

#include <string_view>

#include "kernel/dwc/injector.hpp"
#include "kernel/process/process.hpp"

namespace reprise {

[[nodiscard]] std::string_view name_of(dwc::PeEnd::Kind kind);

// What a person and a script are told when restarts did not cure a mismatch (diagnosis.cpp): the
// PE, where both runs ended, the first words in which they differ, and the instructions there.
void print_diagnosis(Process& process);

// The `exit` event, and the process's figures as the report= argument asks.
void print_process_end(Process& process, const Settings& settings);

void print_final_report(ProcessTable& table, const Injector& injector, const Settings& settings);

}  // namespace reprise
