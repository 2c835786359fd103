// What a person may choose about the engine. Each choice changes cost or depth of the check; none
// lets a state be committed that two runs did not agree on.
#pragma once

#include <cstdint>

namespace dwc {

enum class Policy : std::uint8_t {
  Rotate,   // three frames that rotate; modified pages stay writable (docs/engine.md)
  Classic,  // the paper's own: a write fault and three copies for each page in each PE
};

enum class CheckScope : std::uint8_t {
  Dirty,  // compare the pages whose dirty bit says that a run wrote them
  Full,   // compare every page of the set, whatever its dirty bit says
};

enum class CheckWords : std::uint8_t {
  Verify,  // before a restart the snapshot must still have the check words it was taken with
  Ignore,  // for experiments: shows what a flipped snapshot does unnoticed
};

struct Settings {
  Policy policy = Policy::Rotate;
  CheckScope check = CheckScope::Dirty;
  CheckWords check_words = CheckWords::Verify;
  std::uint32_t page_budget = 64;            // pages in the set, predicted ones included
  std::uint32_t restart_limit = 3;           // restarts in a row of one PE
  std::uint32_t clean_limit = 4;             // PEs that a page may stay clean before it leaves
  std::uint64_t watchdog_ticks = 0;          // longest first run; 0: no limit
  std::uint64_t second_run_slack_ticks = 0;  // second run: 4 times the first one's time plus this
};

}  // namespace dwc
