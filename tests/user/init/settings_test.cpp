#include "user/init/arguments.hpp"

#include <array>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "tests/catch.hpp"
#include "tests/user/init/registers.hpp"

using namespace reprise;

namespace {

std::unique_ptr<Settings> parsed(std::string_view line) {
  auto settings = std::make_unique<Settings>();
  const auto result = parse_settings(line, test::word_named, *settings);
  INFO(line);
  REQUIRE(result);
  return settings;
}

struct Refusal {
  std::string argument, reason, allowed;
};
Refusal refused(std::string_view line) {
  Settings settings;
  const auto result = parse_settings(line, test::word_named, settings);
  INFO(line);
  REQUIRE_FALSE(result);
  const ArgumentError error = result.error();
  return {std::string{error.argument}, std::string{error.reason},
          std::string{error.allowed.view()}};
}

std::vector<std::string> environment(const Settings& settings) {
  return {settings.environment().begin(), settings.environment().end()};
}

}  // namespace

TEST_CASE("a stage changes the kernel's settings that its words name, and no others") {
  KernelSettings stage = parsed("policy=classic pe.pages=16")->kernel;
  const std::array<std::string_view, 2> words{"flush=all", "pe.limit=200"};
  REQUIRE(read_stage(words, stage));
  CHECK(stage.flush == Flush::All);
  CHECK(stage.pe_limit == 200'000);
  CHECK(stage.policy == dwc::Policy::Classic);
  CHECK(stage.pe_pages == 16);
}

TEST_CASE("a stage's word that the kernel has no setting for is refused by name") {
  KernelSettings stage = parsed("")->kernel;
  for (const std::string_view word : {"report=full", "flush", "flush=some", "pe.limit=1", "x"}) {
    INFO(word);
    const std::array<std::string_view, 1> words{word};
    const auto read = read_stage(words, stage);
    REQUIRE_FALSE(read);
    CHECK(read.error().argument == word);
    CHECK_FALSE(read.error().allowed.view().empty());
  }
}

TEST_CASE("without arguments everything is hardened by rotating frames") {
  const auto s = parsed("");
  CHECK(s->kernel.policy == dwc::Policy::Rotate);
  CHECK(s->harden == Settings::Harden::All);
  CHECK(s->kernel.check == dwc::CheckScope::Dirty);
  CHECK(s->kernel.check_words == dwc::CheckWords::Verify);
  CHECK(s->on_fail == Settings::OnFail::Stop);
  CHECK(s->kernel.pe_pages == 0);
  CHECK(s->kernel.pe_restarts == 3);
  CHECK(s->kernel.pe_limit == 0);
  CHECK(s->kernel.pe_latency == 50'000'000);
  CHECK(s->kernel.pe_share == 3);
  CHECK(s->priority_of("any") == 4);
  CHECK(s->kernel.quantum == 1);
  CHECK(s->stop_after == Nanoseconds{~0ull});
  CHECK(s->kernel.flush == Flush::None);
  CHECK(s->counter == Settings::Counter::Auto);
  CHECK(s->inject_rate == 0);
  CHECK(s->injections().empty());
  CHECK(s->input == Settings::Input::None);
  CHECK((s->console_serial && s->console_screen));
  CHECK(s->report == Settings::Report::Full);
  CHECK(s->environment().empty());
}

TEST_CASE("every argument sets what it says") {
  CHECK(parsed("policy=classic")->kernel.policy == dwc::Policy::Classic);
  CHECK(parsed("policy=rotate")->kernel.policy == dwc::Policy::Rotate);
  CHECK(parsed("check=full")->kernel.check == dwc::CheckScope::Full);
  CHECK(parsed("checkwords=off")->kernel.check_words == dwc::CheckWords::Ignore);
  CHECK(parsed("onfail=halt")->on_fail == Settings::OnFail::Halt);
  CHECK(parsed("onfail=reboot")->on_fail == Settings::OnFail::Reboot);
  CHECK(parsed("pe.pages=4")->kernel.pe_pages == 4);
  CHECK(parsed("pe.pages=65536")->kernel.pe_pages == 65'536);
  CHECK(parsed("pe.pages=8 pe.pages=auto")->kernel.pe_pages == 0);
  CHECK(parsed("pe.restarts=0")->kernel.pe_restarts == 0);
  CHECK(parsed("pe.restarts=100")->kernel.pe_restarts == 100);
  CHECK(parsed("flush=touched")->kernel.flush == Flush::Touched);
  CHECK(parsed("flush=all")->kernel.flush == Flush::All);
  CHECK(parsed("counter=auto")->counter == Settings::Counter::Auto);
  CHECK(parsed("counter=pmu")->counter == Settings::Counter::Pmu);
  CHECK(parsed("counter=icount")->counter == Settings::Counter::Icount);
  CHECK(parsed("counter=landmark")->counter == Settings::Counter::Landmark);
  CHECK(parsed("inject.seed=18446744073709551615")->inject_seed == ~0ull);
  CHECK(parsed("inject.rate=25")->inject_rate == 25);
  CHECK(parsed("stdin=console")->input == Settings::Input::Terminal);
  CHECK(parsed("report=short")->report == Settings::Report::Short);
  CHECK(parsed("report=none")->report == Settings::Report::None);
  CHECK(parsed("report=sheet")->report == Settings::Report::Sheet);
}

TEST_CASE("the kernel keeps its log from the serial line unless console= names it") {
  CHECK(parsed("")->kernel.serial_output == SerialOutput::Written);
  CHECK(parsed("console=serial")->kernel.serial_output == SerialOutput::Written);
  CHECK(parsed("console=screen")->kernel.serial_output == SerialOutput::Withheld);
}

TEST_CASE("the kernel takes the bounds of each number, and nothing beyond them") {
  KernelSettings settings = default_settings();
  REQUIRE(are_valid(settings));
  const auto check = [&](std::uint64_t KernelSettings::*member, std::uint64_t low,
                         std::uint64_t high) {
    const std::uint64_t before = settings.*member;
    for (const std::uint64_t good : {low, high}) {
      settings.*member = good;
      CHECK(are_valid(settings));
    }
    for (const std::uint64_t bad : {low - 1, high + 1}) {
      settings.*member = bad;
      CHECK_FALSE(are_valid(settings));
    }
    settings.*member = before;
  };
  check(&KernelSettings::pe_pages, 4, 65'536);
  check(&KernelSettings::pe_latency, 100'000, 1'000'000'000);
  check(&KernelSettings::pe_share, 1, 100);
  check(&KernelSettings::pe_restarts, 0, 100);
  check(&KernelSettings::pe_limit, 10'000, 10'000'000);
  check(&KernelSettings::quantum, 1, 1'000);
}

TEST_CASE("the kernel takes only those values that an enumeration has") {
  const auto with = [](auto KernelSettings::*member, unsigned value) {
    KernelSettings settings = default_settings();
    settings.*member = static_cast<std::remove_reference_t<decltype(settings.*member)>>(value);
    return are_valid(settings);
  };
  CHECK(with(&KernelSettings::policy, 1));
  CHECK_FALSE(with(&KernelSettings::policy, 2));
  CHECK(with(&KernelSettings::check, 1));
  CHECK_FALSE(with(&KernelSettings::check, 2));
  CHECK(with(&KernelSettings::check_words, 1));
  CHECK_FALSE(with(&KernelSettings::check_words, 255));
  CHECK(with(&KernelSettings::flush, 2));
  CHECK_FALSE(with(&KernelSettings::flush, 3));
  CHECK(with(&KernelSettings::serial_output, 1));
  CHECK_FALSE(with(&KernelSettings::serial_output, 2));
}

TEST_CASE("the time limit of a first run takes 10 to 10000 microseconds") {
  CHECK(parsed("pe.limit=10")->kernel.pe_limit == 10'000);
  CHECK(parsed("pe.limit=10000")->kernel.pe_limit == 10'000'000);
  CHECK(parsed("pe.limit=50 pe.limit=auto")->kernel.pe_limit == 0);
}

TEST_CASE("a priority is for the program named, the last one said, and 4 for all others") {
  const auto s = parsed("priority=sums:7,box:0,sums:3");
  CHECK(s->priority_of("sums") == 3);
  CHECK(s->priority_of("box") == 0);
  CHECK(s->priority_of("sum") == 4);
  CHECK(s->priority_of("sums,box") == 4);
  CHECK(parsed("priority=a:1 priority=b:2")->priority_of("a") == 4);
}

TEST_CASE("a quantum is a number of PEs") { CHECK(parsed("quantum=1000")->kernel.quantum == 1000); }

TEST_CASE("the machine can be stopped after seconds or milliseconds") {
  CHECK(parsed("stop.after=3")->stop_after == Nanoseconds{3'000'000'000});
  CHECK(parsed("stop.after=3ms")->stop_after == Nanoseconds{3'000'000});
  CHECK(parsed("stop.after=1000000000")->stop_after == Nanoseconds{1'000'000'000'000'000'000});
}

static bool there(std::string_view name) { return name == "a" || name == "b"; }

TEST_CASE("an argument that names no program of this boot is found") {
  CHECK(parsed("")->unknown_name(there) == std::nullopt);
  CHECK(parsed("harden=all")->unknown_name(there) == std::nullopt);
  CHECK(parsed("harden=a,b priority=b:7,a:1")->unknown_name(there) == std::nullopt);
  CHECK(parsed("priority=b:7,c:1")->unknown_name(there) == "c");
  CHECK(parsed("priority=b:7 harden=a,d")->unknown_name(there) == "d");
  CHECK(parsed("grant=a:port:70,c:log")->unknown_name(there) == "c");
  CHECK(parsed("inject=a:1:1:rax:1,d:1:1:rax:1")->unknown_name(there) == "d");
  CHECK(parsed("inject.only=c")->unknown_name(there) == "c");
}

TEST_CASE("there can be guests when some process is granted them") {
  CHECK(parsed("grant=a:log,b:guest")->grants_guests());
  CHECK_FALSE(parsed("grant=a:log")->grants_guests());
  CHECK_FALSE(parsed("")->grants_guests());
}

TEST_CASE("injections may name init, other arguments may not") {
  CHECK(parsed("inject=init:1:1:rax:1 inject.only=init")->unknown_name(there) == std::nullopt);
  CHECK(parsed("harden=init")->unknown_name(there) == "init");
  CHECK(parsed("priority=init:1")->unknown_name(there) == "init");
  CHECK(parsed("grant=init:log")->unknown_name(there) == "init");
}

TEST_CASE("hardening is for all, for none, or for those named") {
  CHECK(parsed("harden=all")->hardens("a"));
  CHECK_FALSE(parsed("harden=none")->hardens("a"));
  const auto s = parsed("harden=sums,box");
  CHECK(s->hardens("sums"));
  CHECK(s->hardens("box"));
  CHECK_FALSE(s->hardens("bo"));
  CHECK_FALSE(s->hardens("sums,box"));
  CHECK_FALSE(s->hardens("other"));
}

TEST_CASE("the console is serial, screen or both") {
  const auto serial = parsed("console=serial");
  CHECK((serial->console_serial && !serial->console_screen));
  const auto screen = parsed("console=screen");
  CHECK((!screen->console_serial && screen->console_screen));
  const auto both = parsed("console=screen,serial");
  CHECK((both->console_serial && both->console_screen));
}

TEST_CASE("injections collect, within one argument and over several") {
  const auto s = parsed("inject=a:1:1:rax:0,b:2:2:page.0.1:7 inject=a:3:1:snapshot.rip:1");
  REQUIRE(s->injections().size() == 3);
  CHECK(s->injections()[0].name == "a");
  CHECK(s->injections()[1].target == Injection::Target::Page);
  CHECK(s->injections()[2].element == 3);
}

TEST_CASE("a wrong injection says which part is wrong and what is allowed") {
  const Refusal r = refused("inject=a:1:1:rax:0,a:1:1:eax:0");
  CHECK(r.argument == "inject=a:1:1:rax:0,a:1:1:eax:0");
  CHECK(r.reason == "eax");
  CHECK(r.allowed.find("TARGET") == 0);
  CHECK(refused("inject=").reason == "a part is missing");
}

TEST_CASE("64 injections fit, 65 do not") {
  std::string line;
  for (int i = 0; i < 64; ++i) line += "inject=a:1:1:rax:0 ";
  CHECK(parsed(line)->injections().size() == 64);
  CHECK(refused(line + "inject=a:1:1:rax:0").reason == "too many injections");
}

TEST_CASE("the environment collects, the last value of a name wins") {
  const auto s = parsed("env.PATH=/bin env.A= \"env.B=x y=z\" env.PATH=/usr/bin");
  CHECK(environment(*s) == std::vector<std::string>{"PATH=/usr/bin", "A=", "B=x y=z"});
  CHECK(refused("env.=x").reason == "malformed");
  CHECK(refused("env.A").reason == "malformed");
  CHECK(refused("env.1A=x").reason == "malformed");
  CHECK(refused("env.A-B=x").reason == "malformed");
}

TEST_CASE("32 variables fit, 33 do not") {
  std::string line;
  for (int i = 0; i < 32; ++i) line += "env.V" + std::to_string(i) + "=x ";
  CHECK(parsed(line)->environment().size() == 32);
  CHECK(refused(line + "env.W=x").reason == "too many variables");
}

TEST_CASE("an unknown argument is named") {
  const char* argument = GENERATE("polcy=rotate", "policy.x=1", "POLICY=rotate", "=", "rotate",
                                  "environment=1", "inject.=1", "-v");
  const Refusal r = refused("check=full " + std::string{argument} + " flush=all");
  CHECK(r.argument == argument);
  CHECK(r.reason == "unknown");
}

TEST_CASE("a malformed value is named together with what is allowed") {
  const char* argument = GENERATE(
      "policy=", "policy", "policy=rotated", "policy=rotate,classic", "harden=", "harden=a,,b",
      "harden=a,all", "harden=none,a", "check=yes", "checkwords=1", "onfail=restart", "pe.pages=3",
      "pe.pages=65537", "pe.pages=0", "pe.latency=auto", "pe.latency=99", "pe.share=0",
      "pe.pages=", "pe.pages=+8", "pe.pages=0x10", "pe.pages=64k", "pe.restarts=101",
      "pe.restarts=-1", "pe.limit=9", "pe.limit=10001", "pe.limit=1ms", "priority=", "priority=a",
      "priority=a:8", "priority=a:", "priority=:4", "priority=a:4,,b:4", "priority=a:4:4",
      "quantum=0", "quantum=1001", "stop.after=0", "stop.after=ms", "stop.after=1.5",
      "stop.after=1000000001", "flush=l1", "counter=", "counter=tsc",
      "inject.seed=", "inject.seed=18446744073709551616", "inject.rate=0", "stdin=serial",
      "console=", "console=serial,", "console=vga", "report=long");
  const Refusal r = refused(argument);
  CHECK(r.argument == argument);
  CHECK(r.reason == "malformed");
  const std::string key = std::string{argument}.substr(0, std::string{argument}.find('='));
  CHECK(r.allowed.find(key + "=") == 0);
}

TEST_CASE("a line that cannot be split is refused as a whole") {
  CHECK(refused("policy=\"rotate").reason == "a quote never closes");
  CHECK(refused("check=full\\").reason == "a backslash at the end");
  CHECK(refused("env.A=" + std::string(4097, 'x')).reason == "too long");
  std::string line;
  for (int i = 0; i < 129; ++i) line += "check=full ";
  CHECK(refused(line).reason == "too many arguments");
}

TEST_CASE("a later argument overrides an earlier one") {
  const auto s = parsed("harden=a,b check=full harden=all check=dirty");
  CHECK(s->harden == Settings::Harden::All);
  CHECK(s->harden_names.empty());
  CHECK(s->kernel.check == dwc::CheckScope::Dirty);
}

namespace {

// Markdown: a code span in a table's cell.
std::string code(std::string_view text) {
  std::string span;
  for (const char c : text) span += c == '|' ? std::string{"\\|"} : std::string{c};
  return span.empty() ? span : "`" + span + "`";
}

std::string table_of_arguments() {
  std::string table = "| argument | values | default | meaning |\n|---|---|---|---|\n";
  for (std::size_t i = 0; const auto row = describe_argument(i); ++i) {
    table += "| " + code(std::string{row->name} + "=") + " | " + code(row->values.view()) + " | " +
             code(row->fallback.view()) + " | " + std::string{row->meaning} + " |\n";
  }
  return table;
}

}  // namespace

TEST_CASE("docs/running.md has the table of arguments as it is in the code") {
  std::ifstream page{REPRISE_SOURCE_DIR "/docs/running.md"};
  const std::string text{std::istreambuf_iterator<char>{page}, {}};
  const std::size_t start = text.find("| argument |");
  REQUIRE(start != text.npos);
  const std::string table = text.substr(start, text.find("\n\n", start) + 1 - start);
  const std::string expected = table_of_arguments();
  if (table != expected) std::cerr << "the table as the code has it:\n" << expected;
  CHECK(table == expected);
}
