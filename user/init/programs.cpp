#include "user/init/programs.hpp"

#include <span>

#include "user/drivers/services.hpp"
#include "user/init/arguments.hpp"
#include "user/init/drivers.hpp"
#include "user/init/event_line.hpp"
#include "user/init/kernel.hpp"
#include "user/init/module_string.hpp"
#include "user/init/report.hpp"
#include "user/init/words.hpp"

namespace reprise {
namespace {

constexpr std::size_t max_arguments = 128;

// For the module at hand: its string's words, then argv and environment as the process finds them.
// A longer string is refused with Error::ModuleString.
constinit std::array<char, 16 << 10> word_text{};
constinit std::array<std::string_view, max_arguments> words{};
constinit std::array<char, 32 << 10> strings{};
static_assert(sizeof strings <= most_string_bytes);

// Appends the list's texts, each with a NUL, from `used` on. Returns the new end; nothing: no room.
std::optional<std::size_t> append(std::size_t used, std::span<const std::string_view> list) {
  for (const std::string_view text : list) {
    if (text.size() >= strings.size() - used) return std::nullopt;
    used += copy_text(text, std::span{strings}.subspan(used));
    strings[used] = '\0';
    ++used;
  }
  return used;
}

// Writes argv, the driver's words and the environment. Returns their bytes; nothing: no room.
std::optional<std::size_t> write_strings(const ModulePurpose& purpose, const DriverStart& facts,
                                         const Settings& settings) {
  std::optional<std::size_t> end = append(0, purpose.argv);
  for (std::size_t i = 0; end && i < facts.word_count; ++i) {
    end = append(*end, std::array{facts.words[i].view()});
  }
  return end ? append(*end, settings.environment()) : std::nullopt;
}

bool has_grant(const ProgramRequest& request, reprise_grant_kind kind) {
  for (const reprise_grant& grant : std::span{request.grants}.first(request.grant_count)) {
    if (grant.kind == kind) return true;
  }
  return false;
}

// Grants what the driver needs and what grant= gives the program. False: more than most_grants.
bool add_grants(ProgramRequest& request, std::string_view name, const DriverStart& facts,
                const Settings& settings) {
  for (std::size_t i = 0; i < facts.grant_count; ++i) request.grants[i] = facts.grants[i];
  request.grant_count = facts.grant_count;
  for (const NamedGrant& grant : settings.grants()) {
    if (grant.process != name) continue;
    if (request.grant_count == most_grants) return false;
    request.grants[request.grant_count] = grant.grant;
    ++request.grant_count;
  }
  return true;
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
  for (const BootModule& module : boot.modules()) {
    const auto purpose = parse_module_string(module.string, word_text, words);
    if (!purpose || purpose.value().name == name) return true;
  }
  return false;
}

std::optional<std::span<Program>> Programs::start_stage(const StartFacts& facts) {
  const auto modules = facts.boot.modules();
  const std::size_t before = count_;
  if (stages_ == 0) {
    for (std::size_t i = 0; i < modules.size(); ++i) find_archive(i, facts.boot);
    if (facts.devices.channel) start_stream_server(facts);
  }
  std::size_t stage = 0;
  bool any_program = false;
  for (std::size_t i = 0; i < modules.size(); ++i) {
    const auto purpose = parse_module_string(modules[i].string, word_text, words);
    if (!purpose) {
      if (stages_ == 0) fail(purpose.error(), modules[i].string);
      continue;
    }
    const bool driver = purpose.value().role == ModuleRole::Driver;
    if (purpose.value().stage) ++stage;
    if (driver ? stages_ != 0 : stage != stages_) continue;
    any_program |= start_one(i, purpose.value(), facts);
  }
  if (stage < stages_) return std::nullopt;
  if (stages_ == 0 && stage == 0 && !any_program && !first_error_) {
    fail(Error::NoProgram, "boot modules");
  }
  ++stages_;
  return std::span{programs_}.subspan(before, count_ - before);
}

// False: a word of the stage cannot be used, and the program does not start.
bool Programs::configure_stage(const ModulePurpose& purpose, const StartFacts& facts) {
  KernelSettings changed = facts.settings.kernel;
  const auto read = read_stage(*purpose.stage, changed);
  if (!read) {
    say("wrong in a module's string: ", read.error().argument, ": ", read.error().reason,
        "; allowed: ", read.error().allowed);
    return false;
  }
  configure(changed);
  return true;
}

void Programs::start_stream_server(const StartFacts& facts) {
  const auto modules = facts.boot.modules();
  for (std::size_t i = 0; i < modules.size() && stream_server_ == 0; ++i) {
    const auto purpose = parse_module_string(modules[i].string, word_text, words);
    const bool serves = purpose && purpose.value().role == ModuleRole::Driver &&
                        purpose.value().name == service::host_name;
    if (!serves) continue;
    static_cast<void>(start_one(i, purpose.value(), facts));
    if (count_ != 0) stream_server_ = programs_[0].process;
    return;
  }
}

// Notes the archive of Linux programs' files when the module is one.
void Programs::find_archive(std::uint64_t module, const BootFacts& boot) {
  const auto& [string, bytes] = boot.modules()[module];
  const auto purpose = parse_module_string(string, word_text, words);
  if (!purpose || purpose.value().role != ModuleRole::Archive) return;
  if (bytes == 0) {
    fail(Error::EmptyModule, string);
  } else if (archive_ != no_archive) {
    fail(Error::NameTaken, string);
  } else {
    archive_ = module;
  }
}

// True: the module is meant to be a program, or it could not be used. A boot with drivers alone has
// nothing to run.
bool Programs::start_one(std::uint64_t module, const ModulePurpose& purpose,
                         const StartFacts& facts) {
  const std::string_view name = purpose.name;
  const bool driver = purpose.role == ModuleRole::Driver;
  if (purpose.role != ModuleRole::Program && !driver) return false;
  if (driver && name == service::host_name && stream_server_ != 0) return false;  // it runs already
  if (purpose.stage && !configure_stage(purpose, facts)) {
    fail(Error::ModuleString, name);
    return true;
  }
  const auto start = driver
                         ? driver_start(name, facts.boot.framebuffer, facts.devices, facts.settings)
                         : DriverStart{};
  if (!start) return false;
  const std::optional<Error> error =
      start_process(module, facts.boot, purpose, *start, facts.settings);
  if (error) fail(*error, name);
  return error || !driver;
}

std::optional<Error> Programs::start_process(std::uint64_t module, const BootFacts& boot,
                                             const ModulePurpose& purpose, const DriverStart& facts,
                                             const Settings& settings) {
  const std::string_view name = purpose.name;
  const bool driver = purpose.role == ModuleRole::Driver;
  if (name == "init" || find_called(name) != nullptr) return Error::NameTaken;
  const std::optional<std::size_t> string_bytes = write_strings(purpose, facts, settings);
  if (!string_bytes) return Error::ModuleString;
  if (boot.modules()[module].bytes == 0) return Error::EmptyModule;

  ProgramRequest request;
  request.module = module;
  if (!driver) request.archive = archive_;
  request.hardened = settings.hardens(name) ? 1 : 0;
  request.priority = settings.priority_of(name);
  request.strings = reinterpret_cast<std::uint64_t>(strings.data());
  request.string_bytes = *string_bytes;
  request.argument_count = purpose.argv.size() + facts.word_count;
  request.environment_count = settings.environment().size();
  if (!driver) {
    request.stream_server = stream_server_;
    request.stream_rights = main_started_ ? 0 : REPRISE_STREAM_INPUT | REPRISE_STREAM_FILES;
    main_started_ = true;
  }
  if (!add_grants(request, name, facts, settings)) return Error::BadGrant;
  const std::int64_t started = start_program(request);
  if (started == -REPRISE_NOT_GRANTED) return Error::BadGrant;
  if (started < 0) return Error::OutOfMemory;

  Program& program = add(name, static_cast<std::uint64_t>(started), settings);
  program.driver = driver;
  program.sends_log = has_grant(request, REPRISE_GRANT_LOG);
  program.makes_guests = has_grant(request, REPRISE_GRANT_GUEST);
  return std::nullopt;
}

Program& Programs::add(std::string_view name, std::uint64_t process, const Settings& settings) {
  Program& program = programs_[count_];
  ++count_;
  copy_text(name, std::span{program.name}.first(program.name.size() - 1));
  program.process = process;
  if (settings.kernel.timeline != Timeline::Off) {
    print_event("started", "process", name, "pid", process);
  }
  return program;
}

}  // namespace reprise
