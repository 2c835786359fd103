#include "user/linux/nodes.hpp"

#include "user/linux/heap.hpp"
#include "user/linux/runtime.hpp"

namespace personality {

namespace {

constexpr std::uint64_t first_slots = 256;

bool copy_text(std::string_view& text) {
  char* copy = static_cast<char*>(heap().allocate(text.size()));
  if (copy == nullptr) return false;
  memcpy(copy, text.data(), text.size());
  text = {copy, text.size()};
  return true;
}

void release_text(std::string_view text) {
  heap().release(const_cast<char*>(text.data()), text.size());
}

}  // namespace

bool Tree::initialise() {
  *this = Tree{};
  root_ = create(NodeType::Directory, 0755);
  if (root_ == nullptr || !grow()) return false;
  root_->links = 2;
  hold(*root_);
  return true;
}

Node* Tree::parent_of(const Node& directory) const {
  return directory.self == nullptr ? root_ : directory.self->parent;
}

std::uint64_t Tree::slot(const Node& directory, std::string_view name) const {
  std::uint64_t hash = 0xcbf29ce484222325 ^ directory.number;  // FNV-1a
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return (hash ^ hash >> 32) & (slots_ - 1);
}

bool Tree::grow() {
  const std::uint64_t slots = slots_ == 0 ? first_slots : slots_ * 4;
  auto** table = static_cast<Entry**>(heap().allocate(slots * sizeof(Entry*)));
  if (table == nullptr) return false;
  for (std::uint64_t i = 0; i < slots; ++i) table[i] = nullptr;
  Entry** const old = table_;
  const std::uint64_t old_slots = slots_;
  table_ = table;
  slots_ = slots;
  for (std::uint64_t i = 0; i < old_slots; ++i) {
    for (Entry* entry = old[i]; entry != nullptr;) {
      Entry* const following = entry->chain;
      Entry*& head = table_[slot(*entry->parent, entry->name)];
      entry->chain = head;
      head = entry;
      entry = following;
    }
  }
  heap().release(old, old_slots * sizeof(Entry*));
  return true;
}

Entry* Tree::lookup(const Node& directory, std::string_view name) const {
  for (Entry* entry = table_[slot(directory, name)]; entry != nullptr; entry = entry->chain) {
    if (entry->parent == &directory && entry->name == name) return entry;
  }
  return nullptr;
}

Node* Tree::create(NodeType type, std::uint32_t mode) {
  Node* node = heap().create<Node>();
  if (node == nullptr) return nullptr;
  node->type = type;
  node->mode = mode;
  node->number = next_number_;
  ++next_number_;
  return node;
}

Entry* Tree::add(Node& directory, std::string_view name, Node& node, Name lifetime) {
  if (entries_ >= slots_ * 2 && !grow()) return nullptr;
  if (lifetime == Name::Copy && !copy_text(name)) return nullptr;
  Entry* entry = heap().create<Entry>();
  if (entry == nullptr) return nullptr;
  Entry*& head = table_[slot(directory, name)];
  *entry = {.name = name,
            .name_owned = lifetime == Name::Copy,
            .parent = &directory,
            .node = &node,
            .next = nullptr,
            .previous = directory.last,
            .chain = head,
            .cookie = directory.next_cookie};
  ++directory.next_cookie;
  head = entry;
  if (directory.last != nullptr) {
    directory.last->next = entry;
  } else {
    directory.first = entry;
  }
  directory.last = entry;
  ++entries_;
  if (node.is_directory()) {
    node.self = entry;
    node.links += 2;  // its own "." and this entry; before, only its subdirectories count
    ++directory.links;
  } else {
    ++node.links;
  }
  return entry;
}

void Tree::remove(Entry& entry) {
  Node& directory = *entry.parent;
  Node& node = *entry.node;
  Entry** place = &table_[slot(directory, entry.name)];
  while (*place != &entry) place = &(*place)->chain;
  *place = entry.chain;
  if (entry.previous != nullptr) {
    entry.previous->next = entry.next;
  } else {
    directory.first = entry.next;
  }
  if (entry.next != nullptr) {
    entry.next->previous = entry.previous;
  } else {
    directory.last = entry.previous;
  }
  --entries_;
  if (node.is_directory()) {
    node.self = nullptr;
    node.links -= 2;
    --directory.links;
  } else {
    --node.links;
  }
  if (entry.name_owned) release_text(entry.name);
  heap().destroy(&entry);
}

const Entry* Tree::name_of(const Node& node) const {
  for (std::uint64_t i = 0; i < slots_; ++i) {
    for (const Entry* entry = table_[i]; entry != nullptr; entry = entry->chain) {
      if (entry->node == &node) return entry;
    }
  }
  return nullptr;
}

void Tree::let_go(Node& node) {
  --node.holders;
  drop_unused(node);
}

void Tree::hold_mapped(Node& node, std::uint64_t pages) {
  node.holders += pages;
  node.mapped_pages += pages;
}

void Tree::let_go_mapped(Node& node, std::uint64_t pages) {
  node.holders -= pages;
  node.mapped_pages -= pages;
  drop_unused(node);
}

void Tree::drop_unused(Node& node) {
  if (node.holders != 0 || node.links != 0) return;
  node.content.clear();
  if (node.target_owned) release_text(node.target);
  heap().destroy(&node);
}

}  // namespace personality
