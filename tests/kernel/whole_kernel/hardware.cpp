#include "tests/kernel/whole_kernel/hardware.hpp"

#include <cstring>
#include <stdexcept>

#include "arch/cache.hpp"
#include "arch/clock.hpp"
#include "arch/counter.hpp"
#include "arch/direct_map.hpp"
#include "arch/entropy.hpp"
#include "arch/interrupts.hpp"
#include "arch/physical_memory.hpp"
#include "arch/power.hpp"
#include "arch/serial.hpp"
#include "arch/timer.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/kernel_tables.hpp"
#include "arch/x86_64/layout.hpp"
#include "arch/x86_64/per_cpu.hpp"
#include "arch/x86_64/try_write_msr.hpp"
#include "kernel/base/assert.hpp"

using reprise::FrameNumber;
using reprise::Nanoseconds;
using reprise::page_shift;
using reprise::page_size;
using reprise::PhysAddr;

namespace {

using Entry = arch::x86::TableEntry;
using FaultCode = arch::x86::PageFaultCode;

alignas(4096) std::array<std::array<std::uint64_t, 512>, fakes::frame_count> memory;

constexpr std::uint64_t memory_start = fakes::first_frame * page_size;
constexpr std::uint64_t memory_bytes = fakes::frame_count * page_size;

// The bytes of one region of physical memory; none where they leave it.
std::span<std::byte> within(std::span<std::byte> region, std::uint64_t region_start,
                            std::uint64_t start, std::uint64_t bytes) {
  const bool inside = start >= region_start && start - region_start <= region.size() &&
                      bytes <= region.size() - (start - region_start);
  return inside ? region.subspan(start - region_start, bytes) : std::span<std::byte>{};
}

// The entry of a page in the active table, as the processor would find it (Intel SDM Vol. 3A §4.5).
std::uint64_t* active_entry(std::uint64_t address) {
  std::uint64_t frame = arch::x86::cpu.cr3 >> page_shift;
  for (const unsigned shift : {39, 30, 21}) {
    const std::uint64_t entry = arch::frame_words(FrameNumber{frame})[address >> shift & 511];
    if ((entry & Entry::P) == 0) return nullptr;
    frame = (entry & Entry::Frame) >> page_shift;
  }
  return &arch::frame_words(FrameNumber{frame})[address >> page_shift & 511];
}

// A word of memory, or of an open device.
std::uint64_t& word_at(std::uint64_t entry, std::uint64_t address) {
  const FrameNumber frame{(entry & Entry::Frame) >> page_shift};
  const std::size_t index = address % page_size / sizeof(std::uint64_t);
  const auto device =
      within(fakes::hardware.device, fakes::device_start, frame.value() * page_size, page_size);
  if (device.empty()) return arch::frame_words(frame)[index];
  return reinterpret_cast<std::uint64_t*>(device.data())[index];
}

}  // namespace

namespace fakes {

void power_on() {
  hardware = {};
  arch::x86::cpu = {};
  arch::x86::boot_cpu.guest = {};
  for (auto& word : memory.back()) word = 0;  // the kernel's half: empty
}

arch::MemoryRange usable_memory() { return {PhysAddr{memory_start}, usable_frames * page_size}; }

std::span<std::byte> module_memory() {
  return std::as_writable_bytes(std::span{memory}.subspan(usable_frames));
}

arch::MemoryRange module_range(std::size_t offset, std::size_t bytes) {
  return {PhysAddr{memory_start + usable_frames * page_size + offset}, bytes};
}

std::optional<arch::Trap> store(std::uint64_t address, std::uint64_t value) {
  std::uint64_t* const entry = active_entry(address);
  constexpr std::uint32_t user_write = FaultCode::Wr | FaultCode::Us;
  if (entry == nullptr || (*entry & Entry::P) == 0) return page_fault(address, user_write);
  if ((*entry & Entry::Rw) == 0) return page_fault(address, user_write | FaultCode::P);
  *entry |= Entry::A | Entry::D;
  word_at(*entry, address) = value;
  return std::nullopt;
}

std::uint64_t load(std::uint64_t address) {
  std::uint64_t* const entry = active_entry(address);
  if (entry == nullptr || (*entry & Entry::P) == 0) throw std::logic_error("a load of no page");
  *entry |= Entry::A;
  return word_at(*entry, address);
}

arch::Trap system_call() { return {.kind = arch::Trap::Kind::SystemCall}; }

arch::Trap general_protection() {
  return {.kind = arch::Trap::Kind::Exception, .vector = arch::x86::general_protection_vector};
}

arch::Trap page_fault(std::uint64_t address, std::uint32_t error_code) {
  return {.kind = arch::Trap::Kind::Exception,
          .vector = arch::x86::page_fault_vector,
          .error_code = error_code,
          .fault_address = address};
}

}  // namespace fakes

// A broken invariant is an exception here, so that a test can ask for it.
void reprise::panic_at(const char* file, int line, const char* what) {
  throw std::logic_error(std::string(file) + ":" + std::to_string(line) + ": " + what);
}

bool try_write_msr(arch::x86::Msr, std::uint64_t) { return true; }

namespace arch {

using fakes::hardware;

// ---- Memory ----

FrameWords frame_words(FrameNumber frame) {
  const std::uint64_t index = frame.value() - fakes::first_frame;
  if (index >= fakes::frame_count) throw std::out_of_range("a frame that does not exist");
  return FrameWords{memory[index]};
}

std::span<std::byte> physical_bytes(PhysAddr start, std::size_t size) {
  const auto all = std::as_writable_bytes(std::span{memory});
  const auto bytes = within(all, memory_start, start.value(), size);
  if (bytes.size() != size) throw std::out_of_range("memory that does not exist");
  return bytes;
}

FrameNumber x86::kernel_root() { return FrameNumber{fakes::first_frame + fakes::frame_count - 1}; }

bool is_device_memory(PhysAddr first, PhysAddr last) {
  const bool apart = last.value() < memory_start || first.value() >= memory_start + memory_bytes;
  return first <= last && apart;
}

std::span<std::byte> device_memory(PhysAddr start, std::size_t size) {
  return within(hardware.device, fakes::device_start, start.value(), size);
}

std::span<const std::byte> firmware_memory(PhysAddr start, std::size_t size) {
  return within(hardware.firmware, fakes::firmware_start, start.value(), size);
}

void flush_all_caches() {}
void flush_frame(FrameNumber) {}
void await_flushes() {}

// ---- Ring 3 ----

Trap run_user(UserState& state) {
  ++hardware.entries;
  if (!hardware.ring_3) throw std::logic_error("ring 3 is entered, and no program is there");
  return hardware.ring_3(state);
}

void set_single_step(bool on) { hardware.single_step = on; }

void set_breakpoint(BreakSlot slot, std::optional<reprise::UserAddr> address) {
  auto& breakpoint = hardware.breakpoints[static_cast<std::size_t>(slot)];
  breakpoint.reset();
  if (address) breakpoint = address->value();
}

void set_ports(Ports ports) { hardware.ports_open = ports == Ports::Open; }

// ---- Time and counting ----

Nanoseconds now() { return Nanoseconds{hardware.now}; }
std::uint64_t time_stamp() { return hardware.stamp; }
std::uint64_t timer_frequency() { return hardware.timer_hertz; }
void set_clock(std::uint64_t stamp_hertz, std::uint64_t timer_hertz, std::uint64_t stamp) {
  hardware.clock = {stamp_hertz, timer_hertz, stamp};
}
void arm_timer(Nanoseconds duration) { hardware.timer = duration.value(); }

bool use_counter(const reprise::CounterSettings& settings) {
  if (!hardware.counters.contains(settings.kind)) return false;
  hardware.counter = settings;
  hardware.count = 0;
  return true;
}
const reprise::CounterSettings& counter() { return hardware.counter; }
void restart_count() { hardware.count = 0; }
std::uint64_t count() { return hardware.count; }
void stop_at_count(std::uint64_t n) { hardware.stop = n; }

// ---- Devices ----

std::optional<std::uint64_t> start_admitting(const reprise::InterruptControllers& controllers) {
  if (hardware.controllers) return std::nullopt;
  hardware.controllers = controllers;
  return 24 | reprise::local_x2apic;
}
void admit_interrupts() { ++hardware.admissions; }
void connect_interrupts(std::uint32_t lines) { hardware.connected |= lines; }
std::uint32_t take_interrupts() {
  const std::uint32_t fired = hardware.fired;
  hardware.fired = 0;
  return fired;
}
void expect_interrupts(std::uint32_t lines) { hardware.expected |= lines; }
void forget_longest_hold() { hardware.longest_hold = 0; }
Nanoseconds longest_hold() { return Nanoseconds{hardware.longest_hold}; }

// Nothing comes in unless the test says so: the time passes.
void wait_for_interrupt(Nanoseconds limit) {
  hardware.idled.push_back(limit.value());
  if (hardware.on_idle) return hardware.on_idle();
  hardware.now += limit.value();
}

void write_emergency(std::string_view text) { hardware.emergency += text; }
void start_second_serial() { hardware.second_serial.emplace(); }
void write_second_serial(std::string_view text) { hardware.second_serial.value() += text; }
std::uint64_t entropy() { return hardware.random; }

void exit_machine(reprise::ExitCode code) { throw fakes::Exited{code}; }
void reset_processor() { throw fakes::WasReset{}; }

}  // namespace arch
