// Arguments and fault models; see fault.hpp.
#include "fault.hpp"

#include <charconv>
#include <cstdio>
#include <span>

namespace fault {
namespace {

constexpr unsigned kMemoryBits = 64, kGeneralBits = 64, kXmmBits = 128, kYmmBits = 256;
constexpr unsigned kVectorRegisters = 16;
constexpr int kXmm0 = 49;
constexpr std::size_t kMostCodeBytes = 16;

// CF PF AF ZF SF TF IF DF OF IOPL NT RF AC VIF VIP ID.
constexpr std::uint64_t kFlags = 0x3d'7fd5;

// QEMU's gdb/i386-64bit.xml fixes the numbers.
constexpr Target kTargets[] = {
    {"rax", 0, kGeneralBits},
    {"rbx", 1, kGeneralBits},
    {"rcx", 2, kGeneralBits},
    {"rdx", 3, kGeneralBits},
    {"rsi", 4, kGeneralBits},
    {"rdi", 5, kGeneralBits},
    {"rbp", 6, kGeneralBits},
    {"rsp", 7, kGeneralBits},
    {"r8", 8, kGeneralBits},
    {"r9", 9, kGeneralBits},
    {"r10", 10, kGeneralBits},
    {"r11", 11, kGeneralBits},
    {"r12", 12, kGeneralBits},
    {"r13", 13, kGeneralBits},
    {"r14", 14, kGeneralBits},
    {"r15", 15, kGeneralBits},
    {"rip", 16, kGeneralBits},
    {"rflags", 17, 22, kFlags},
    {"fs_base", 24, kGeneralBits},
    {"gs_base", 25, kGeneralBits},
    {"k_gs_base", 26, kGeneralBits},
    {"cr0", 27, 32},
    {"cr2", 28, kGeneralBits},
    {"cr3", 29, 52},
    {"cr4", 30, 32},
    {"efer", 32, 16},
    {"mxcsr", 65, 16},
};

// Decimal, or hexadecimal behind 0x.
bool parse_number(std::string_view text, std::uint64_t& number) {
  const bool hexadecimal = text.starts_with("0x");
  if (hexadecimal) text.remove_prefix(2);
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number, hexadecimal ? 16 : 10);
  return error == std::errc{} && stop == end;
}

bool parse_code(std::string_view text, std::vector<std::uint8_t>& code) {
  if (text.empty() || text.size() % 2 != 0 || text.size() > 2 * kMostCodeBytes) return false;
  for (; !text.empty(); text.remove_prefix(2)) {
    std::uint8_t byte = 0;
    const char* end = text.data() + 2;
    const auto [stop, error] = std::from_chars(text.data(), end, byte, 16);
    if (error != std::errc{} || stop != end) return false;
    code.push_back(byte);
  }
  return true;
}

bool parse_model(std::string_view text, Model& model) {
  constexpr std::pair<std::string_view, Model> kModels[] = {{"single", Model::Single},
                                                            {"pair", Model::Pair},
                                                            {"byte", Model::Byte},
                                                            {"stuck", Model::Stuck}};
  for (const auto& [name, value] : kModels) {
    if (name != text) continue;
    model = value;
    return true;
  }
  return false;
}

bool parse_target(std::string_view text, Arguments& into) {
  into.target = text;
  into.register_ = find_register(text);
  return into.register_.has_value() || text == kMemory || text == kPageTables;
}

bool parse_bit(std::string_view text, unsigned& bit) {
  std::uint64_t number = 0;
  if (!parse_number(text, number) || number >= kYmmBits) return false;
  bit = static_cast<unsigned>(number);
  return true;
}

bool parse_one(std::string_view key, std::string_view value, Arguments& into) {
  if (key == "report") {
    into.report = value;
    return !value.empty();
  }
  if (key == "watch") {
    into.watch = value;
    return !value.empty();
  }
  if (key == "marker") return parse_number(value, into.marker) && into.marker != 0;
  if (key == "code") return parse_code(value, into.code);
  if (key == "at") return parse_number(value, into.at) && into.at != 0;
  if (key == "limit") return parse_number(value, into.limit) && into.limit != 0;
  if (key == "target") return parse_target(value, into);
  if (key == "address") return parse_number(value, into.address) && into.address % 8 == 0;
  if (key == "draw") return parse_number(value, into.draw);
  if (key == "bit") return parse_bit(value, into.bit);
  if (key == "model") return parse_model(value, into.model);
  if (key == "for") return parse_number(value, into.duration) && into.duration != 0;
  return false;
}

// What is wrong with arguments that are right one by one; empty: nothing.
std::string_view contradiction(const Arguments& given) {
  if (given.report.empty()) return "report=FILE is missing";
  if (given.marker == 0) return "marker=ADDRESS is missing";
  if (given.at != 0 && !given.watch.empty()) return "watch=FILE goes with no fault";
  if (given.at == 0) return given.target.empty() ? "" : "target= goes with at=INSTRUCTION";
  if (given.target.empty()) return "at= goes with target=NAME";
  if (given.duration != 1 && given.model != Model::Stuck) return "for= goes with model=stuck";
  if (!given.register_.has_value())
    return given.bit < kMemoryBits ? "" : "a word of memory has 64 bits";
  const Target& target = given.register_->target;
  if (given.bit >= target.bits) return "the register has no such bit";
  if (target.existing == 0) return "";
  return mask_of(given.model, given.bit, target.bits)[0] & ~target.existing
             ? "the register has no such bit"
             : "";
}

}  // namespace

std::optional<Register> find_register(std::string_view name) {
  for (const Target& target : kTargets) {
    if (target.name == name) return Register{target};
  }
  const bool whole = name.starts_with("ymm");
  if (!whole && !name.starts_with("xmm")) return std::nullopt;
  std::uint64_t number = 0;
  if (!parse_number(name.substr(3), number) || number >= kVectorRegisters) return std::nullopt;
  const Target target{whole ? "ymm" : "xmm", kXmm0, whole ? kYmmBits : kXmmBits};
  return Register{target, static_cast<unsigned>(number)};
}

std::optional<Arguments> parse_arguments(int count, char** texts) {
  Arguments result;
  for (const char* argument : std::span{texts, static_cast<std::size_t>(count)}) {
    const std::string_view text = argument;
    const std::size_t equals = text.find('=');
    const std::string_view value = equals == text.npos ? "" : text.substr(equals + 1);
    if (parse_one(text.substr(0, equals), value, result)) continue;
    std::fprintf(stderr, "fault_plugin: cannot take \"%s\" (tests/fault_plugin/README.md)\n",
                 argument);
    return std::nullopt;
  }
  const std::string_view wrong = contradiction(result);
  if (wrong.empty()) return result;
  std::fprintf(stderr, "fault_plugin: %.*s\n", static_cast<int>(wrong.size()), wrong.data());
  return std::nullopt;
}

Words mask_of(Model model, unsigned bit, unsigned bits) {
  unsigned first = bit, count = 1;
  if (model == Model::Pair) {
    first = bit + 1 < bits ? bit : bits - 2;
    count = 2;
  } else if (model == Model::Byte) {
    first = bit / 8 * 8;
    count = 8;
  }
  Words mask{};
  for (unsigned each = first; each < first + count && each < bits; ++each)
    mask[each / 64] |= std::uint64_t{1} << each % 64;
  return mask;
}

}  // namespace fault
