#include "host_image.hpp"

#include <elf.h>
#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

namespace {

constexpr std::uint64_t page = 4096;
std::uint64_t down(std::uint64_t value) { return value & ~(page - 1); }
std::uint64_t up(std::uint64_t value) { return down(value + page - 1); }

[[noreturn]] void die(const std::string& message) {
  std::fprintf(stderr, "host_kernel: %s\n", message.c_str());
  std::exit(125);
}

void map_pages(std::uint64_t address, std::uint64_t bytes, int protection) {
  void* const got = mmap(reinterpret_cast<void*>(address), bytes, protection,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (got != reinterpret_cast<void*>(address)) die("cannot map at a fixed address");
}

int protection_of(const Elf64_Phdr& header) {
  return (header.p_flags & PF_R ? PROT_READ : 0) | (header.p_flags & PF_W ? PROT_WRITE : 0) |
         (header.p_flags & PF_X ? PROT_EXEC : 0);
}

// Puts strings and words on a stack that grows down.
class Stack {
public:
  explicit Stack(std::uint64_t top) : top_(top) {}
  std::uint64_t text(const std::string& value) {
    top_ -= value.size() + 1;
    std::memcpy(reinterpret_cast<void*>(top_), value.c_str(), value.size() + 1);
    return top_;
  }
  std::uint64_t words(const std::vector<std::uint64_t>& values) {
    top_ = (top_ - values.size() * 8) & ~std::uint64_t{15};
    std::memcpy(reinterpret_cast<void*>(top_), values.data(), values.size() * 8);
    return top_;
  }

private:
  std::uint64_t top_;
};

}  // namespace

std::vector<char> read_whole_file(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) die("cannot read " + path);
  return {std::istreambuf_iterator<char>(stream), {}};
}

HostImage map_image(const std::string& path, std::uint64_t position_independent_base) {
  const std::vector<char> file = read_whole_file(path);
  Elf64_Ehdr elf;
  if (file.size() < sizeof elf) die(path + " is too short");
  std::memcpy(&elf, file.data(), sizeof elf);
  if (std::memcmp(elf.e_ident, ELFMAG, SELFMAG) != 0) die(path + " is no ELF file");
  const std::uint64_t base = elf.e_type == ET_DYN ? position_independent_base : 0;
  HostImage image{~0ull, 0, elf.e_entry + base, 0, elf.e_phnum};
  std::vector<Elf64_Phdr> headers(elf.e_phnum);
  std::memcpy(headers.data(), file.data() + elf.e_phoff, headers.size() * sizeof(Elf64_Phdr));
  for (const Elf64_Phdr& header : headers) {
    if (header.p_type == PT_INTERP) die(path + " is dynamically linked");
    if (header.p_type != PT_LOAD || header.p_memsz == 0) continue;
    const std::uint64_t start = base + header.p_vaddr;
    const std::uint64_t low = down(start), high = up(start + header.p_memsz);
    map_pages(low, high - low, PROT_READ | PROT_WRITE);
    std::memcpy(reinterpret_cast<void*>(start), file.data() + header.p_offset, header.p_filesz);
    mprotect(reinterpret_cast<void*>(low), high - low, protection_of(header));
    if (header.p_offset <= elf.e_phoff && elf.e_phoff < header.p_offset + header.p_filesz) {
      image.headers = start + elf.e_phoff - header.p_offset;
    }
    if (low < image.low) image.low = low;
    if (high > image.high) image.high = high;
  }
  return image;
}

void map_fixed(std::uint64_t address, const std::vector<char>& content) {
  map_pages(address, up(content.size()), PROT_READ | PROT_WRITE);
  std::memcpy(reinterpret_cast<void*>(address), content.data(), content.size());
  mprotect(reinterpret_cast<void*>(address), up(content.size()), PROT_READ);
}

std::uint64_t build_stack(std::uint64_t high, std::uint64_t bytes, const HostImage& image,
                          const std::vector<std::string>& arguments,
                          const std::vector<std::string>& environment) {
  map_pages(high - bytes, bytes, PROT_READ | PROT_WRITE);
  Stack stack(high);
  std::vector<std::uint64_t> words{arguments.size()};
  for (const std::string& argument : arguments) words.push_back(stack.text(argument));
  const std::uint64_t name = words[1];
  words.push_back(0);
  for (const std::string& variable : environment) words.push_back(stack.text(variable));
  words.push_back(0);
  const std::uint64_t random = stack.text("sixteen bytes..");
  const std::uint64_t auxiliary[] = {AT_PHDR,   image.headers,
                                     AT_PHENT,  sizeof(Elf64_Phdr),
                                     AT_PHNUM,  image.header_count,
                                     AT_PAGESZ, page,
                                     AT_ENTRY,  image.entry,
                                     AT_RANDOM, random,
                                     AT_EXECFN, name,
                                     AT_SECURE, 0,
                                     AT_UID,    0,
                                     AT_EUID,   0,
                                     AT_GID,    0,
                                     AT_EGID,   0,
                                     AT_NULL,   0};
  words.insert(words.end(), std::begin(auxiliary), std::end(auxiliary));
  return stack.words(words);
}
