#include "user/linux/ending.hpp"

#include "user/linux/file_status.hpp"
#include "user/linux/host.hpp"
#include "user/linux/paths.hpp"
#include "user/linux/process.hpp"
#include "user/linux/runtime.hpp"
#include "user/linux/streams.hpp"

namespace personality {

namespace {

using drivers::FrameKind;

constexpr std::uint32_t permissions = 07777;

// In fixed memory: the program may have left none.
constinit char file_bytes[16384];
constinit char wanted_name[longest_path + 1];
constinit char path[longest_path + longest_name + 2];

std::uint64_t address_of(const void* pointer) { return reinterpret_cast<std::uint64_t>(pointer); }

// One file, or tree of files, that the host asks for.
class HandOver {
public:
  // `request`: its place in the host's list.
  HandOver(std::uint64_t request, std::string_view name) : request_(request) {
    memcpy(path, name.data(), name.size());
    length_ = name.size();
  }

  // False: the driver is gone.
  [[nodiscard]] bool whole(Node& node) {
    if (node.is_directory()) return tree_below(node, Which::All);
    return node.type != NodeType::File || file(node);
  }
  [[nodiscard]] bool what_changed() {
    length_ = 0;
    return tree_below(tree().root(), Which::Changed);
  }
  [[nodiscard]] bool missing() { return send(FrameKind::Missing, 0); }

private:
  enum class Which : bool { Changed, All };

  [[nodiscard]] bool send(FrameKind kind, std::uint32_t mode, std::uint64_t first = 0,
                          std::uint64_t second = 0) const {
    const std::uint64_t detail = mode | request_ << 16;
    return send_to_host(kind, address_of(path), length_, detail, first, second) == 0;
  }

  [[nodiscard]] bool file(Node& node) const {
    const FileStatus status = status_of(node);
    const std::uint64_t size = node.content.size();
    if (!send(FrameKind::File, node.mode & permissions, size, status.modified)) return false;
    for (std::uint64_t done = 0; done < size;) {
      const Value part =
          node.content.read(done, UserAddress(address_of(file_bytes)), sizeof file_bytes);
      if (part <= 0) return false;
      const auto bytes = static_cast<std::uint64_t>(part);
      if (send_to_host(FrameKind::FileBytes, address_of(file_bytes), bytes) != 0) return false;
      done += bytes;
    }
    return true;
  }

  // The path is followed by a NUL and the target.
  [[nodiscard]] bool link(const Node& node) {
    const std::size_t before = length_;
    if (node.target.size() >= sizeof path - length_) return true;
    path[length_] = '\0';
    memcpy(path + length_ + 1, node.target.data(), node.target.size());
    length_ += 1 + node.target.size();
    const bool sent = send(FrameKind::Link, 0);
    length_ = before;
    return sent;
  }

  [[nodiscard]] bool entry(const Entry& entry, Which which) {
    Node& node = *entry.node;
    if (node.generated != Generated::None) return true;
    const bool made = which == Which::All || entry.name_owned;  // the archive's names are not
    switch (node.type) {
      case NodeType::Directory: return !made || send(FrameKind::Directory, node.mode & permissions);
      case NodeType::File: return !(made || node.content.changed()) || file(node);
      case NodeType::Link: return !made || link(node);
      case NodeType::Device: return true;
    }
    return true;
  }

  // Goes down into each directory behind its entry, and back up by the directories' own entries.
  // All below a directory that was made or renamed has names that are new.
  [[nodiscard]] bool tree_below(Node& top, Which which) {
    if (&top != &tree().root() && !send(FrameKind::Directory, top.mode & permissions)) return false;
    const Node* directory = &top;
    const Node* made = nullptr;  // the outermost such directory
    const Entry* next = top.first;
    while (next != nullptr || directory != &top) {
      if (next == nullptr) {
        if (directory == made) made = nullptr;
        length_ -= directory->self->name.size() + 1;
        next = directory->self->next;
        directory = directory->self->parent;
        continue;
      }
      const Entry& here = *next;
      next = here.next;
      if (length_ + 1 + here.name.size() > longest_path) continue;  // no path leads there
      path[length_] = '/';
      memcpy(path + length_ + 1, here.name.data(), here.name.size());
      length_ += here.name.size() + 1;
      if (!entry(here, made != nullptr ? Which::All : which)) return false;
      if (here.node->is_directory()) {
        if (made == nullptr && here.name_owned) made = here.node;
        directory = here.node;
        next = directory->first;
      } else {
        length_ -= here.name.size() + 1;
      }
    }
    return true;
  }

  std::uint64_t request_;
  std::size_t length_ = 0;  // of `path`
};

bool hand_over(std::uint64_t request, std::string_view name) {
  HandOver files(request, name);
  if (name == "/") return files.what_changed();
  PathText text;
  Found found;
  const bool there = text.set(name) &&
                     resolve(tree(), tree().root(), text, LastLink::Follow, found) == 0 &&
                     found.node != nullptr;
  return there ? files.whole(*found.node) : files.missing();
}

void hand_over_files() {
  if ((process().start.stream_rights & REPRISE_STREAM_FILES) == 0 || !streams_are_served()) return;
  std::uint64_t from = 0, request = 0;
  for (;; ++request) {
    const native::Result got = read_wanted_files(from, wanted_name, sizeof wanted_name);
    if (got <= 0) break;
    const std::string_view list(wanted_name, static_cast<std::size_t>(got));
    const std::string_view name = list.substr(0, list.find('\0'));
    if (name.size() == list.size() || !hand_over(request, name)) return;
    from += name.size() + 1;
  }
  if (request != 0) static_cast<void>(send_to_host(FrameKind::FilesEnd, 0, 0));
}

}  // namespace

void end_process(int status) {
  hand_over_files();
  native::exit(status);
}

}  // namespace personality
