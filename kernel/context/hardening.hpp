// What only a hardened context has: the engine that runs each of its processing elements twice, and
// all that the engine works with. Flips strike here, too: a context without an engine has no moment
// at which one could. Next: kernel/dwc, what the engine asks of the machine.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "arch/user_state.hpp"
#include "kernel/abi/init.hpp"
#include "kernel/context/injector.hpp"
#include "kernel/dwc/engine.hpp"
#include "kernel/memory/address_space.hpp"

namespace reprise {

// What all contexts draw on. Trace digests are in use only while a PE is given up, and only one
// context runs at a time: so they are shared.
struct ContextResources {
  FrameSource& frames;
  FlipTotals& flips;
  std::span<std::uint32_t> digests;
};

class Hardening final : private RunObserver {
public:
  // The space, the live registers and the injector are the context's, and outlive this.
  Hardening(AddressSpace& space, arch::UserState& live, Injector& injector,
            const KernelSettings& settings, const ContextResources& resources);
  Hardening(const Hardening&) = delete;
  Hardening& operator=(const Hardening&) = delete;
  ~Hardening() = default;

  [[nodiscard]] Engine& engine() { return engine_; }
  [[nodiscard]] const Engine& engine() const { return engine_; }
  [[nodiscard]] KernelCore& core() { return core_; }
  [[nodiscard]] const KernelCore& core() const { return core_; }

private:
  [[nodiscard]] bool watches() const override { return !injector_.idle(); }
  void run_begins(dwc::WhichRun run) override;
  void run_ended() override;
  [[nodiscard]] std::uint64_t next_stop() override;
  void stopped_at(std::uint64_t count) override;

  Injector& injector_;
  arch::UserState start_{}, first_{};  // R0 and R1 at first: they change places with the live set
  // Of the page set; beyond them it takes frames.
  std::array<dwc::PageEntry<KernelSpace>, dwc::Pace::first_budget> places_{};
  KernelSpace space_;
  KernelCore core_;
  Engine engine_;
};

}  // namespace reprise
