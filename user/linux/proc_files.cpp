#include "user/linux/proc_files.hpp"

#include <array>
#include <iterator>
#include <span>

#include "user/linux/heap.hpp"
#include "user/linux/memory.hpp"
#include "user/linux/native.hpp"
#include "user/linux/paths.hpp"
#include "user/linux/process.hpp"
#include "user/linux/runtime.hpp"
#include "user/linux/text.hpp"
#include "user/loader/elf.hpp"

extern "C" const char image_begin[], image_end[];

namespace personality {

namespace {

// ---- /proc/self/maps ----

struct Part {
  std::uint64_t start, end;
  std::uint32_t protection;
  std::uint64_t offset = 0;
  const Node* file = nullptr;
  bool shared = false;
  std::string_view name{};  // where no file is mapped: [stack] and the like
};

// What the table of regions does not have, by address.
class FixedParts {
public:
  FixedParts() {
    const reprise_start& start = process().start;
    add_program(start);
    add({start.stack_low, start.stack_high, 3, 0, nullptr, false, "[stack]"});
    // Not the program's to use, and in its way: without rights.
    add_own(start.file_address, start.file_address + start.file_bytes);
    add_own(start.archive_address, start.archive_address + start.archive_bytes);
    add_own(heap().low(), heap().high());
    add_own(reinterpret_cast<std::uint64_t>(image_begin),
            reinterpret_cast<std::uint64_t>(image_end));
  }
  [[nodiscard]] std::span<const Part> all() const { return {parts_.data(), count_}; }

private:
  void add_own(std::uint64_t start, std::uint64_t end) {
    if (start != 0) add({start, page_up(end), 0, 0, nullptr, false, "[reprise]"});
  }
  void add_program(const reprise_start& start) {
    const auto* const file = reinterpret_cast<const std::byte*>(start.file_address);
    if (file == nullptr) return;
    const auto image = reprise::parse_elf({file, start.file_bytes});
    if (!image) return;
    PathText path;
    Found found;
    if (!path.set(process().executable)) return;
    static_cast<void>(resolve(tree(), tree().root(), path, LastLink::Follow, found));
    for (const reprise::ElfSegment& segment : image.value().segments()) {
      const std::uint64_t address = segment.address.value();
      const std::uint32_t protection = (segment.read ? REPRISE_PROTECT_READ : 0) |
                                       (segment.write ? REPRISE_PROTECT_WRITE : 0) |
                                       (segment.execute ? REPRISE_PROTECT_EXECUTE : 0);
      add({page_down(address), page_up(address + segment.memory_bytes), protection,
           page_down(segment.file_offset), found.node});
    }
  }
  void add(const Part& part) {
    if (count_ == parts_.size()) return;
    std::size_t place = count_;
    for (; place > 0 && parts_[place - 1].start > part.start; --place) {
      parts_[place] = parts_[place - 1];
    }
    parts_[place] = part;
    ++count_;
  }

  std::array<Part, reprise::ElfImage::max_segments + 8> parts_{};
  std::size_t count_ = 0;
};

Part part_of(const Region& region) {
  const bool shared = region.link == FileLink::Copy || region.link == FileLink::Joined;
  Part part{region.start, region.end, region.protection, 0, region.node, shared, {}};
  if (region.node != nullptr) part.offset = region.start - region.origin;
  if (is_break(region)) part.name = "[heap]";
  return part;
}

void write_path(Text& text, const Entry& entry) {
  if (entry.parent->self != nullptr) write_path(text, *entry.parent->self);
  text << '/' << entry.name;
}

void write_part(Text& text, const Part& part) {
  constexpr std::size_t name_column = 73;
  text << HexDigits{part.start, 8} << '-' << HexDigits{part.end, 8} << ' '
       << ((part.protection & REPRISE_PROTECT_READ) != 0 ? 'r' : '-')
       << ((part.protection & REPRISE_PROTECT_WRITE) != 0 ? 'w' : '-')
       << ((part.protection & REPRISE_PROTECT_EXECUTE) != 0 ? 'x' : '-')
       << (part.shared ? 's' : 'p') << ' ' << HexDigits{part.offset, 8};
  if (part.file == nullptr) {
    text << " 00:00 0";
  } else {
    text << " 00:01 " << part.file->number;
  }
  text << ' ';
  if (!part.name.empty()) text.pad(name_column) << part.name;
  if (part.file != nullptr) {
    const Entry* const entry = tree().name_of(*part.file);
    text.pad(name_column);
    if (entry != nullptr) write_path(text, *entry);
    if (entry == nullptr) text << " (deleted)";
  }
  text << '\n';
}

void write_maps(Text& text) {
  const FixedParts fixed;
  auto rest = fixed.all();
  for (std::size_t i = 0; i < regions().count(); ++i) {
    const Region& region = regions()[i];
    for (; !rest.empty() && rest.front().start < region.start; rest = rest.subspan(1)) {
      write_part(text, rest.front());
    }
    write_part(text, part_of(region));
  }
  for (const Part& part : rest) write_part(text, part);
}

// ---- /proc/meminfo ----

void write_memory(Text& text) {
  const auto line = [&](std::string_view name, std::uint64_t bytes) {
    text << name << ':';
    text.pad(16) << Padded{bytes / 1024, 8} << " kB\n";
  };
  const std::uint64_t available = native::usage(REPRISE_USAGE_AVAILABLE);
  line("MemTotal", native::usage(REPRISE_USAGE_MEMORY));
  line("MemFree", available);
  line("MemAvailable", available + heap().spare());
  for (const std::string_view none : {"Buffers", "Cached", "SwapCached", "SwapTotal", "SwapFree"}) {
    line(none, 0);
  }
}

// ---- /proc/cpuinfo ----

// Names as Linux has them, by bit; "-" where it has none, or nothing here would serve it.
// Intel SDM Vol. 2A, CPUID: leaf 1 EDX and ECX, leaf 7 EBX, leaf 0x80000001 EDX and ECX.
struct FeatureNames {
  std::uint32_t leaf;
  unsigned word;  // EAX, EBX, ECX, EDX
  std::string_view names;
};
constexpr FeatureNames feature_names[] = {
    {0x1, 3,
     "fpu vme de pse tsc msr pae mce cx8 apic - sep mtrr pge mca cmov pat pse36 pn clflush - dts "
     "acpi mmx fxsr sse sse2 ss ht tm ia64 pbe"},
    {0x80000001, 3,
     "- - - - - - - - - - - syscall - - - - - - - mp nx - mmxext - - fxsr_opt pdpe1gb rdtscp - lm "
     "3dnowext 3dnow"},
    {0x1, 2,
     "pni pclmulqdq dtes64 monitor ds_cpl vmx smx est tm2 ssse3 cid sdbg fma cx16 xtpr pdcm - pcid "
     "dca sse4_1 sse4_2 x2apic movbe popcnt tsc_deadline_timer aes xsave - avx f16c rdrand "
     "hypervisor"},
    {0x80000001, 2,
     "lahf_lm cmp_legacy svm extapic cr8_legacy abm sse4a misalignsse 3dnowprefetch osvw ibs xop "
     "skinit wdt - lwp fma4 tce"},
    {0x7, 1,
     "fsgsbase tsc_adjust sgx bmi1 hle avx2 - smep bmi2 erms invpcid rtm cqm - mpx rdt_a avx512f "
     "avx512dq rdseed adx smap avx512ifma - clflushopt clwb intel_pt avx512pf avx512er avx512cd "
     "sha_ni avx512bw avx512vl"}};

std::string_view take_word(std::string_view& rest) {
  const std::size_t end = rest.find(' ');
  const std::string_view word = rest.substr(0, end);
  rest = end == rest.npos ? std::string_view{} : rest.substr(end + 1);
  return word;
}

void write_flags(Text& text) {
  text << "flags\t\t:";
  for (const FeatureNames& features : feature_names) {
    std::uint32_t words[4];
    read_cpuid(features.leaf, 0, words);
    std::string_view rest = features.names;
    for (unsigned bit = 0; !rest.empty(); ++bit) {
      const std::string_view name = take_word(rest);
      if ((words[features.word] >> bit & 1) != 0 && name != "-") text << ' ' << name;
    }
  }
  text << '\n';
}

// The text that a CPUID leaf has in its registers.
template <std::size_t count>
std::string_view text_of(const std::uint32_t (&words)[count]) {
  std::string_view text(reinterpret_cast<const char*>(words), sizeof words);
  text = text.substr(0, text.find('\0'));
  while (text.starts_with(' ')) text = text.substr(1);
  return text;
}

void write_processors(Text& text) {
  std::uint32_t leaf[4], version[4], name[12];
  read_cpuid(0, 0, leaf);
  read_cpuid(1, 0, version);
  const std::uint32_t vendor[3] = {leaf[1], leaf[3], leaf[2]};
  const std::uint64_t family = version[0] >> 8 & 15, model = version[0] >> 4 & 15;
  const std::uint64_t more_family = version[0] >> 20 & 255, more_model = version[0] >> 16 & 15;
  const std::uint64_t stepping = version[0] & 15;
  text << "processor\t: 0\nvendor_id\t: " << text_of(vendor)
       << "\ncpu family\t: " << (family == 15 ? family + more_family : family)
       << "\nmodel\t\t: " << (family == 6 || family == 15 ? more_model << 4 | model : model)
       << '\n';
  read_cpuid(0x80000000, 0, leaf);
  if (leaf[0] >= 0x80000004) {
    for (unsigned i = 0; i < 3; ++i) {
      read_cpuid(0x80000002 + i, 0, leaf);
      for (unsigned j = 0; j < 4; ++j) name[4 * i + j] = leaf[j];
    }
    text << "model name\t: " << text_of(name) << '\n';
  }
  text << "stepping\t: " << stepping
       << "\nphysical id\t: 0\nsiblings\t: 1\ncore id\t\t: 0\ncpu cores\t: 1\n";
  write_flags(text);
  text << '\n';
}

}  // namespace

Value generate(Node& node) {
  node.content.clear();
  Text text(node.content);
  switch (node.generated) {
    case Generated::Maps: write_maps(text); break;
    case Generated::Memory: write_memory(text); break;
    case Generated::Processors: write_processors(text); break;
    case Generated::None: break;
  }
  return text.complete() ? 0 : fail(Errno::NoMemory);
}

}  // namespace personality
