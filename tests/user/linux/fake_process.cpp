#include "tests/user/linux/fake_process.hpp"

#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>

#include "user/linux/heap.hpp"
#include "user/linux/memory.hpp"
#include "user/linux/native.hpp"
#include "user/linux/paths.hpp"
#include "user/linux/process.hpp"

namespace {

personality::Process the_process;
std::string logged;

// The heap's window is mapped once. A check of bounds refuses what the kernel would refuse.
constexpr std::uint64_t window = 1ull << 40;
std::uint64_t window_start() {
  static const std::uint64_t start = [] {
    void* const memory = mmap(nullptr, window, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) std::abort();
    return reinterpret_cast<std::uint64_t>(memory);
  }();
  return start;
}

bool is_bad(const void* pointer) { return reinterpret_cast<std::uint64_t>(pointer) < 4096; }

}  // namespace

extern "C" {

std::int64_t reprise_system_call(std::uint64_t number, std::uint64_t a, std::uint64_t b,
                                 std::uint64_t, std::uint64_t, std::uint64_t) {
  if (number == REPRISE_LOG) {
    logged.append(reinterpret_cast<const char*>(a), b);
    return static_cast<std::int64_t>(b);
  }
  if (number == REPRISE_EXIT) {
    std::fprintf(stderr, "the personality ended the process:\n%s", logged.c_str());
    std::abort();
  }
  return number == REPRISE_TIME ? 1'700'000'000'000'000'000 : 0;
}

std::int64_t user_copy(void* to, const void* from, std::uint64_t bytes) {
  if (bytes == 0) return 0;
  if (is_bad(to) || is_bad(from)) return -1;
  std::memmove(to, from, bytes);
  return 0;
}

std::int64_t user_string(char* to, const char* from, std::uint64_t limit) {
  if (is_bad(from)) return -1;
  const std::size_t length = strnlen(from, limit);
  std::memcpy(to, from, length < limit ? length + 1 : limit);
  return static_cast<std::int64_t>(length);
}
}

// No program has mapped anything: the pages that tests join to a file are their own.
namespace personality {
Process& process() { return the_process; }
PageAccess::PageAccess(const std::byte*, Access) { opened_ = 0; }
PageAccess::~PageAccess() { opened_ = 0; }
bool bring_pages(UserAddress, std::uint64_t) { return false; }
}  // namespace personality

namespace fake {

void reset(std::uint64_t heap_bytes) {
  the_process = {};
  the_process.executable = "/program";
  logged.clear();
  personality::heap().initialise(window_start(), window_start() + heap_bytes);
}

const std::string& log() { return logged; }

ArchiveWriter& ArchiveWriter::add(std::string_view name, std::string_view data,
                                  Attributes attributes) {
  const std::uint32_t inode = attributes.inode != 0 ? attributes.inode : 1000 + next_inode_++;
  char header[111];
  std::snprintf(header, sizeof header, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
                inode, attributes.mode, 0u, 0u, attributes.links, 1000u,
                static_cast<unsigned>(data.size()), 0u, 0u, 0u, 0u,
                static_cast<unsigned>(name.size() + 1), 0u);
  text_.insert(text_.end(), header, header + 110);
  text_.insert(text_.end(), name.begin(), name.end());
  text_.push_back('\0');
  text_.resize((text_.size() + 3) / 4 * 4);
  text_.insert(text_.end(), data.begin(), data.end());
  text_.resize((text_.size() + 3) / 4 * 4);
  return *this;
}

std::string read_all(const personality::Content& content) {
  std::string text(content.size(), '?');
  const auto got = content.read(0, user(text.data()), text.size());
  return got == static_cast<std::int64_t>(text.size()) ? text : "error";
}

personality::Node* find(personality::Tree& tree, std::string_view path, std::int64_t* error) {
  personality::PathText text;
  personality::Found found;
  std::int64_t result = personality::fail(personality::Errno::NameTooLong);
  if (text.set(path)) {
    result = personality::resolve(tree, tree.root(), text, personality::LastLink::Follow, found);
  }
  if (result == 0 && found.node == nullptr) {
    result = personality::fail(personality::Errno::NoEntry);
  }
  if (error != nullptr) *error = result;
  return result == 0 ? found.node : nullptr;
}

}  // namespace fake
