// Init's lines about the boot, each program's end and the machine's end (docs/log-format.md has
// every field).
#pragma once

#include <string_view>

#include "kernel/abi/init.hpp"
#include "user/init/counter_test.hpp"
#include "user/init/error.hpp"
#include "user/init/programs.hpp"
#include "user/init/word_names.hpp"

namespace reprise {

// Reports what cannot be used; `subject` is a module's name or the argument at fault.
void print_error(Error error, std::string_view subject);

void print_refused_counter(std::string_view name, std::string_view reason);
void print_counter(const CounterFacts& counter);

// The last event before the programs start.
void print_boot(const MachineReport& machine, std::string_view command_line);

[[nodiscard]] std::string_view name_of(dwc::PeEnd::Kind kind);

// The lines about a mismatch that restarts did not cure (diagnosis.cpp): the PE, where both runs
// ended, the first words in which they differ, and the instructions there.
void print_diagnosis(std::string_view name, const ProcessReport& process, const WordNames& names);

// The `exit` event, and the process's figures as the report= argument asks.
void print_process_end(const Program& program, const ProcessReport& process,
                       Settings::Report detail);

// What the final report needs of one process.
[[nodiscard]] ProgramTotals totals_of(const ProcessReport& process);
void print_final_report(Programs& programs, const Settings& settings);

}  // namespace reprise
