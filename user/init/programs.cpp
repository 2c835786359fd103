#include "user/init/programs.hpp"

#include <span>

#include "user/init/drivers.hpp"
#include "user/init/kernel.hpp"
#include "user/init/module_string.hpp"
#include "user/init/report.hpp"
#include "user/init/words.hpp"

namespace reprise {
namespace {

constexpr std::size_t max_arguments = 128;

// Of the module at hand: its string's words, and argv and environment as a process finds them.
// Longer ones get the error for module strings.
constinit std::array<char, 16 << 10> word_text{};
constinit std::array<std::string_view, max_arguments> words{};
constinit std::array<char, 32 << 10> strings{};
static_assert(sizeof strings <= most_string_bytes);

// The list's texts, each with a NUL, from `used` on; the new end, or nothing when it does not fit.
std::optional<std::size_t> append(std::size_t used, std::span<const std::string_view> list) {
  for (const std::string_view text : list) {
    if (text.size() >= strings.size() - used) return std::nullopt;
    used += copy_text(text, std::span{strings}.subspan(used));
    strings[used++] = '\0';
  }
  return used;
}

}  // namespace

void Programs::fail(Error error, std::string_view subject) {
  print_error(error, subject);
  if (!first_error_) first_error_ = error;
}

Program* Programs::find(std::uint64_t process) {
  for (Program& program : all())
    if (program.process == process) return &program;
  return nullptr;
}

Program* Programs::find_called(std::string_view name) {
  for (Program& program : all())
    if (program.called() == name) return &program;
  return nullptr;
}

bool Programs::was_meant(std::string_view name, const BootFacts& boot) const {
  if (!first_error_) return false;
  for (const BootModule& module : boot.modules()) {
    const auto purpose = parse_module_string(module.string, word_text, words);
    if (!purpose || purpose.value().name == name) return true;
  }
  return false;
}

void Programs::start(const BootFacts& boot, std::uint8_t century_register,
                     const Settings& settings) {
  std::size_t programs = 0;
  for (std::size_t i = 0; i < boot.modules().size(); ++i) find_companion(i, boot);
  for (std::size_t i = 0; i < boot.modules().size(); ++i)
    programs += start_one(i, boot, century_register, settings) ? 1 : 0;
  if (programs == 0 && !first_error_) fail(Error::NoProgram, "boot modules");
}

void Programs::find_companion(std::uint64_t module, const BootFacts& boot) {
  const auto& [string, bytes] = boot.modules()[module];
  const auto purpose = parse_module_string(string, word_text, words);
  if (!purpose || purpose.value().role != ModuleRole::Archive) return;
  if (bytes == 0) return fail(Error::EmptyModule, string);
  if (archive_ != no_archive) return fail(Error::NameTaken, string);
  archive_ = module;
}

// Whether it was meant to be a program; drivers alone are nothing to run.
bool Programs::start_one(std::uint64_t module, const BootFacts& boot, std::uint8_t century_register,
                         const Settings& settings) {
  const auto& [string, bytes] = boot.modules()[module];
  const auto purpose = parse_module_string(string, word_text, words);
  if (!purpose) return fail(purpose.error(), string), false;
  const auto& [role, name, argv] = purpose.value();
  const bool driver = role == ModuleRole::Driver;
  if (role != ModuleRole::Program && !driver) return false;
  const auto facts =
      driver ? driver_start(name, boot.framebuffer, century_register, settings) : DriverStart{};
  if (!facts) return false;
  if (name == "init" || find_called(name) != nullptr) return fail(Error::NameTaken, name), true;
  std::optional<std::size_t> end = append(0, argv);
  for (std::size_t i = 0; end && i < facts->word_count; ++i)
    end = append(*end, std::array{facts->words[i].view()});
  if (end) end = append(*end, settings.environment());
  if (!end) return fail(Error::ModuleString, name), true;
  if (bytes == 0) return fail(Error::EmptyModule, name), true;

  ProgramRequest request;
  request.module = module;
  if (!driver) request.archive = archive_;
  request.hardened = settings.hardens(name) ? 1 : 0;
  request.priority = settings.priority_of(name);
  request.strings = reinterpret_cast<std::uint64_t>(strings.data());
  request.string_bytes = *end;
  request.argument_count = argv.size() + facts->word_count;
  request.environment_count = settings.environment().size();
  request.grant_count = facts->grant_count;
  for (std::size_t i = 0; i < facts->grant_count; ++i) request.grants[i] = facts->grants[i];
  for (const NamedGrant& grant : settings.grants()) {
    if (grant.process != name) continue;
    if (request.grant_count == most_grants) return fail(Error::BadGrant, name), true;
    request.grants[request.grant_count++] = grant.grant;
  }
  const std::int64_t started = start_program(request);
  if (started == -REPRISE_NOT_GRANTED) return fail(Error::BadGrant, name), true;
  if (started < 0) return fail(Error::OutOfMemory, name), true;
  Program& program = programs_[count_++];
  copy_text(name, std::span{program.name}.first(program.name.size() - 1));
  program.process = static_cast<std::uint64_t>(started);
  program.driver = driver;
  for (const reprise_grant& grant : std::span{request.grants}.first(request.grant_count))
    program.sends_log |= grant.kind == REPRISE_GRANT_LOG;
  return !driver;
}

}  // namespace reprise
