// The figures at a process's end and at shutdown (docs/log-format.md has every field).
#pragma once

#include <string_view>

#include "kernel/base/error.hpp"
#include "kernel/dwc/injector.hpp"
#include "kernel/process/process.hpp"

namespace reprise {

// What cannot be used, for people and for scripts; `subject` is a module's name or the argument at
// fault.
void print_error(Error error, std::string_view subject);

[[nodiscard]] std::string_view name_of(dwc::PeEnd::Kind kind);

// What a person and a script are told when restarts did not cure a mismatch (diagnosis.cpp): the
// PE, where both runs ended, the first words in which they differ, and the instructions there.
void print_diagnosis(Process& process);

// The `exit` event, and the process's figures as the report= argument asks.
void print_process_end(Process& process, const Settings& settings);

// What the machine as a whole has shown while programs ran (docs/architecture.md has the bound).
struct Latency {
  Nanoseconds longest_wait;  // device interrupts were held no longer than this
  Nanoseconds longest_pe;    // both runs, restarts and all
};

void print_final_report(ProcessTable& table, const Injector& injector, const Latency& latency,
                        const Settings& settings);

}  // namespace reprise
