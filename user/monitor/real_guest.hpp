// The guest by the kernel's calls (kernel/abi/guest.h). Memory is copied in pieces, so that no call
// takes long.
#pragma once

#include "user/monitor/outside.hpp"

namespace monitor {

class RealGuest final : public GuestProcess {
public:
  // Asks init for a guest. False: there is none for this process.
  [[nodiscard]] bool make();
  [[nodiscard]] bool give_memory(std::uint64_t bytes);

  bool read(std::uint64_t address, void* to, std::uint64_t bytes) override;
  bool write(std::uint64_t address, const void* from, std::uint64_t bytes) override;
  std::int64_t run(reprise_guest_run& run) override;
  std::int64_t get_state(reprise_guest_state& state) override;
  std::int64_t set_state(const reprise_guest_state& state) override;

private:
  [[nodiscard]] bool copy(std::uint64_t call, std::uint64_t address, std::uint64_t buffer,
                          std::uint64_t bytes) const;

  std::uint64_t number_ = 0;
};

}  // namespace monitor
