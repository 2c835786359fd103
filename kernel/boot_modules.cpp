#include "kernel/boot_modules.hpp"

#include <array>

#include "arch/frame_memory.hpp"
#include "kernel/console/line.hpp"
#include "kernel/parse/module_string.hpp"

namespace reprise {
namespace {

constexpr std::size_t max_arguments = 128;

// The words of all module strings: process names are views into it for as long as the machine
// runs. A boot that needs more gets the error for module strings.
std::array<char, 64 << 10> text_store;
std::size_t text_used = 0;

class Starter {
public:
  Starter(FrameAllocator& frames, FrameNumber zero, Injector& injector, const Settings& settings,
          ProcessTable& table)
      : loader_{frames, zero, companions_, injector, settings}, table_{table} {}

  void find_companion(const arch::Module& module) {
    std::array<std::string_view, max_arguments> words;
    const auto purpose = parse(module, words);
    if (!purpose || purpose->role == ModuleRole::Program) return;
    if (module.range.size == 0) return fail(Error::EmptyModule, module.string);
    (purpose->role == ModuleRole::Archive ? companions_.archive : companions_.personality) =
        module.range;
  }

  void start_program(const arch::Module& module) {
    std::array<std::string_view, max_arguments> words;
    const auto purpose = parse(module, words);
    if (!purpose) return fail(Error::ModuleString, module.string);
    if (purpose->role != ModuleRole::Program) return;
    ++programs_;
    if (module.range.size == 0) return fail(Error::EmptyModule, purpose->name);
    const auto started = loader_.start(purpose->name, purpose->argv, module.range, table_);
    if (!started) fail(started.error(), purpose->name);
  }

  void finish() {
    if (programs_ == 0 && !first_error_) fail(Error::NoProgram, "boot modules");
  }
  [[nodiscard]] std::optional<Error> first_error() const { return first_error_; }

private:
  std::optional<ModulePurpose> parse(const arch::Module& module,
                                     std::span<std::string_view> words) {
    const std::span<char> room = std::span{text_store}.subspan(text_used);
    const auto purpose = parse_module_string(module.string, room, words);
    if (!purpose) return std::nullopt;
    if (purpose.value().role == ModuleRole::Program) text_used += module.string.size();
    return purpose.value();
  }
  void fail(Error error, std::string_view subject) {
    print_error(error, subject);
    if (!first_error_) first_error_ = error;
  }

  Companions companions_{};
  Loader loader_;
  ProcessTable& table_;
  std::size_t programs_ = 0;
  std::optional<Error> first_error_;
};

}  // namespace

void print_error(Error error, std::string_view subject) {
  const ErrorText& text = text_of(error);
  say(subject, ": ", text.advice);
  print_event("error", "code", text.word, "subject", subject);
}

std::optional<Error> start_programs(std::span<const arch::Module> modules, FrameAllocator& frames,
                                    Injector& injector, const Settings& settings,
                                    ProcessTable& table) {
  const std::optional<FrameNumber> zero = frames.allocate();
  if (!zero) {
    print_error(Error::OutOfMemory, "boot modules");
    return Error::OutOfMemory;
  }
  arch::clear_frame(*zero);
  Starter starter{frames, *zero, injector, settings, table};
  for (const arch::Module& module : modules) starter.find_companion(module);
  for (const arch::Module& module : modules) starter.start_program(module);
  starter.finish();
  return starter.first_error();
}

}  // namespace reprise
