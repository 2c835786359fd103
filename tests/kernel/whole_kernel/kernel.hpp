// A whole kernel for host tests: the real Machine with its processes, calls and contexts, on the
// fake hardware. A test puts registers as a program would, has the call served, and looks at what
// came of it. Programs start from fake boot modules: a flat personality image, a file, an archive.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "arch/boot_info.hpp"
#include "kernel/machine.hpp"
#include "tests/kernel/whole_kernel/hardware.hpp"

namespace fakes {

inline constexpr std::uint64_t init_module = 0, personality_module = 1, program_module = 2,
                               archive_module = 3, odd_module = 4;
inline constexpr std::uint64_t program_file_pages = 3;
inline constexpr std::uint64_t entry = REPRISE_IMAGE_BASE + 0x100;
// A page of the image that programs may write, and one that is theirs to map.
inline constexpr std::uint64_t data = REPRISE_IMAGE_BASE + 2 * reprise::page_size;
inline constexpr std::uint64_t somewhere = reprise::mmap_low;

// All that a failed call may not change: registers but RAX, mappings, contents, free frames.
struct Picture {
  struct Page {
    std::uint64_t page, frame, contents;
    arch::Permissions permissions;
    arch::Ownership ownership;
    friend bool operator==(const Page&, const Page&) = default;
  };
  std::vector<std::uint64_t> registers;
  std::vector<Page> pages;
  std::uint64_t free_frames;
  reprise::ContextStatus status;
  std::uint64_t syscall_entry, handler_entry, alarm, processes;
  friend bool operator==(const Picture&, const Picture&) = default;
};

class Kernel {
public:
  Kernel();
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;

  [[nodiscard]] reprise::Machine& machine() { return *machine_; }
  [[nodiscard]] reprise::Process& init() { return machine_->init(); }
  // A new process; it must be possible.
  reprise::Process& start(const reprise::ProgramRequest& request = {.module = program_module},
                          std::string_view strings = {});

  // The call as the process would make it, served; what the process finds in RAX. A process that
  // ends by it is ended as the supervisor does.
  std::int64_t call(reprise::Process& process, std::uint64_t number, std::uint64_t first = 0,
                    std::uint64_t second = 0, std::uint64_t third = 0, std::uint64_t fourth = 0);
  // Messages have two words more.
  std::int64_t message(reprise::Process& process, std::uint64_t number, std::uint64_t to,
                       std::span<const std::uint64_t, 3> words, std::uint64_t buffer = 0,
                       std::uint64_t sizes = 0);
  // By the call itself, and by the loader's way.
  void map(reprise::Process& process, std::uint64_t address, std::uint64_t pages,
           std::uint64_t protection = REPRISE_PROTECT_READ | REPRISE_PROTECT_WRITE);

  template <class T>
  void put(reprise::Process& process, std::uint64_t address, const T& value) {
    put_bytes(process, address, std::as_bytes(std::span{&value, 1}));
  }
  template <class T>
  [[nodiscard]] T get(const reprise::Process& process, std::uint64_t address) const {
    T value{};
    get_bytes(process, address, std::as_writable_bytes(std::span{&value, 1}));
    return value;
  }
  void put_bytes(reprise::Process& process, std::uint64_t address, std::span<const std::byte> from);
  void get_bytes(const reprise::Process& process, std::uint64_t address,
                 std::span<std::byte> to) const;
  void set_register(reprise::Process& process, arch::Register name, std::uint64_t value);
  [[nodiscard]] static std::uint64_t word(const reprise::Process& process, arch::Register name) {
    return process.context().registers()[name];
  }

  [[nodiscard]] Picture picture_of(const reprise::Process& process) const;
  [[nodiscard]] std::uint64_t free_frames() const { return machine_->frames.free_frames(); }
  // From now on exactly so many frames can be had.
  void leave_frames(std::uint64_t frames) { machine_->frames.set_reserve(free_frames() - frames); }

private:
  std::vector<arch::MemoryRange> memory_, modules_;
  arch::BootInfo boot_{};
  std::unique_ptr<reprise::Machine> machine_;
};

// Whether the call fails so, and has changed nothing.
[[nodiscard]] bool fails(Kernel& kernel, reprise::Process& process, reprise_error error,
                         std::uint64_t number, std::uint64_t first = 0, std::uint64_t second = 0,
                         std::uint64_t third = 0, std::uint64_t fourth = 0);

}  // namespace fakes
