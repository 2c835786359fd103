#include "tests/kernel/whole_kernel/kernel.hpp"

#include <stdexcept>
#include <string>

#include "arch/direct_map.hpp"
#include "arch/frame_memory.hpp"
#include "kernel/calls/serve_call.hpp"
#include "kernel/context/gate.hpp"
#include "kernel/context/register_frame.hpp"

namespace fakes {

using namespace reprise;

namespace {

constexpr reprise_image image{.magic = REPRISE_IMAGE_MAGIC,
                              .entry = entry,
                              .code_pages = 1,
                              .constant_pages = 1,
                              .data_pages = 1,
                              .zero_pages = 2};

std::uint64_t digest_of(FrameNumber frame) {
  std::uint64_t digest = 0xcbf29ce484222325;
  for (const std::uint64_t word : arch::frame_words(frame)) {
    digest = (digest ^ word) * 0x100000001b3;
  }
  return digest;
}

void fill(std::span<std::byte> bytes, unsigned seed) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::byte>(i * 7 + i / 256 + seed);
  }
}

}  // namespace

Kernel::Kernel() : machine_{std::make_unique<Machine>()} {
  power_on();
  memory_ = {usable_memory()};
  fill(module_memory(), 77);  // what lies behind a module is not nothing
  std::size_t offset = 0;
  const auto add = [&](std::size_t bytes) {
    fill(module_memory().subspan(offset, bytes), static_cast<unsigned>(modules_.size()));
    modules_.push_back(module_range(offset, bytes));
    offset += round_up(bytes) + page_size;
  };
  add(page_size);
  add(3 * page_size);
  std::memcpy(module_memory().data() + 2 * page_size, &image, sizeof image);
  add(program_file_pages * page_size);
  add(page_size);
  add(page_size + 100);
  boot_ = {.memory = memory_,
           .modules = modules_,
           .init = init_module,
           .personality = personality_module,
           .blob = {PhysAddr{firmware_start}, 0x1000},
           .total_memory = usable_frames * page_size};
  machine_->boot = &boot_;
  machine_->frames.initialize(memory_);
  machine_->zero = machine_->frames.allocate().value();
  arch::clear_frame(machine_->zero);
  start({.module = init_module});
}

Process& Kernel::start(const ProgramRequest& request, std::string_view strings) {
  const auto process = machine_->start(request, {strings.data(), strings.size()});
  if (!process) throw std::logic_error("error " + std::to_string(process.error()));
  return *process.value();
}

std::int64_t Kernel::call(Process& process, std::uint64_t number, std::uint64_t first,
                          std::uint64_t second, std::uint64_t third, std::uint64_t fourth) {
  reprise_frame frame = register_frame(process.context().registers());
  frame.rax = number;
  frame.rdi = first;
  frame.rsi = second;
  frame.rdx = third;
  frame.r10 = fourth;
  Gate{process.context()}.register_contents(frame);
  const auto status = serve_call(*machine_, process);
  const auto result = static_cast<std::int64_t>(word(process, arch::Register::Rax));
  if (status) machine_->end(process, *status);
  return result;
}

std::int64_t Kernel::message(Process& process, std::uint64_t number, std::uint64_t to,
                             std::span<const std::uint64_t, 3> words, std::uint64_t buffer,
                             std::uint64_t sizes) {
  set_register(process, arch::Register::R8, buffer);
  set_register(process, arch::Register::R9, sizes);
  return call(process, number, to, words[0], words[1], words[2]);
}

void Kernel::map(Process& process, std::uint64_t address, std::uint64_t pages,
                 std::uint64_t protection) {
  if (call(process, REPRISE_MAP, address, pages * page_size, protection) != 0) {
    throw std::logic_error("cannot be mapped");
  }
}

void Kernel::put_bytes(Process& process, std::uint64_t address, std::span<const std::byte> from) {
  if (!Gate{process.context()}.write_bytes(UserAddr{address}, from)) {
    throw std::logic_error("cannot be written");
  }
}

void Kernel::get_bytes(const Process& process, std::uint64_t address,
                       std::span<std::byte> to) const {
  if (!process.space().read(UserAddr{address}, to)) throw std::logic_error("cannot be read");
}

void Kernel::set_register(Process& process, arch::Register name, std::uint64_t value) {
  arch::UserState state = process.context().registers();
  state[name] = value;
  Gate{process.context()}.register_contents(register_frame(state));
}

Picture Kernel::picture_of(const Process& process) const {
  const Context& context = process.context();
  const auto words = context.registers().words();
  Picture picture{.registers = {words.begin(), words.end()},
                  .pages = {},
                  .free_frames = free_frames(),
                  .status = context.status,
                  .syscall_entry = context.syscall_entry.value(),
                  .handler_entry = context.exception_handler.entry.value(),
                  .alarm = context.mailbox.alarm.value(),
                  .processes = machine_->processes.size()};
  picture.registers[static_cast<std::size_t>(arch::Register::Rax)] = 0;
  std::map<std::uint64_t, std::uint64_t> digests;
  const arch::PageTable& table = context.space().table();
  const PageNumber end = page_of(UserAddr{user_high});
  for (auto leaf = table.next_leaf(PageNumber{0}, end); leaf;
       leaf = table.next_leaf(leaf->page() + 1, end)) {
    const arch::Mapping mapping = leaf->mapping();
    const std::uint64_t frame = mapping.frame.value();
    std::uint64_t contents = 0;
    if (mapping.ownership != arch::Ownership::Device) {
      const auto [known, is_new] = digests.try_emplace(frame, 0);
      if (is_new) known->second = digest_of(mapping.frame);
      contents = known->second;
    }
    picture.pages.push_back(
        {leaf->page().value(), frame, contents, mapping.permissions, mapping.ownership});
  }
  return picture;
}

bool fails(Kernel& kernel, Process& process, reprise_error error, std::uint64_t number,
           std::uint64_t first, std::uint64_t second, std::uint64_t third, std::uint64_t fourth) {
  reprise_frame frame = register_frame(process.context().registers());
  frame.rdi = first;
  frame.rsi = second;
  frame.rdx = third;
  frame.r10 = fourth;
  Gate{process.context()}.register_contents(frame);
  const Picture before = kernel.picture_of(process);
  const std::int64_t result = kernel.call(process, number, first, second, third, fourth);
  return result == -static_cast<std::int64_t>(error) && kernel.picture_of(process) == before;
}

}  // namespace fakes
