#include "user/linux/paths.hpp"

#include "user/linux/descriptors.hpp"
#include "user/linux/runtime.hpp"

namespace personality {

namespace {

constexpr int link_limit = 40;
constinit Node* current_directory = nullptr;

// One walk along a path. `at_` is the first character that the walk has not read.
class Walk {
public:
  Walk(Tree& tree, Node& base, PathText& path, LastLink last, Found& found)
      : tree_(tree), path_(path), last_(last), found_(found), node_(&base) {}

  Value run() {
    if (path_.length == 0) return fail(Errno::NoEntry);
    if (path_.text[0] == '/') node_ = &tree_.root();
    for (;;) {
      skip_slashes();
      if (at_ == path_.length) return end_at_directory(".");
      if (!node_->is_directory()) return fail(Errno::NotDirectory);
      const std::string_view name = take_component();
      if (name.size() > longest_name) return fail(Errno::NameTooLong);
      if (name == "." || name == "..") {
        if (name == "..") node_ = tree_.parent_of(*node_);
        if (is_last()) return end_at_directory(name);
        continue;
      }
      if (const Value result = step(name); result != more) return result;
    }
  }

private:
  static constexpr Value more = 1;

  void skip_slashes() {
    while (at_ < path_.length && path_.text[at_] == '/') ++at_;
  }
  std::string_view take_component() {
    const std::size_t start = at_;
    while (at_ < path_.length && path_.text[at_] != '/') ++at_;
    return {path_.text + start, at_ - start};
  }
  [[nodiscard]] bool is_last() const {
    for (std::size_t i = at_; i < path_.length; ++i) {
      if (path_.text[i] != '/') return false;
    }
    return true;
  }

  Value end_at_directory(std::string_view name) {
    if (!node_->is_directory()) return fail(Errno::NotDirectory);
    found_ = {tree_.parent_of(*node_), nullptr, node_, name, true};
    return 0;
  }

  Value step(std::string_view name) {
    const bool last = is_last(), slash = at_ < path_.length;
    Entry* entry = tree_.lookup(*node_, name);
    if (entry == nullptr) {
      if (!last) return fail(Errno::NoEntry);
      found_ = {node_, nullptr, nullptr, name, slash};
      return 0;
    }
    const bool follows = !last || slash || last_ == LastLink::Follow;
    if (follows && entry->node->type == NodeType::Link) return splice(*entry->node);
    if (last) {
      if (slash && !entry->node->is_directory()) return fail(Errno::NotDirectory);
      found_ = {node_, entry, entry->node, name, slash};
      return 0;
    }
    node_ = entry->node;
    return more;
  }

  // The new path is the link's target, then the rest of the old path.
  Value splice(const Node& link) {
    ++links_;
    if (links_ > link_limit) return fail(Errno::Loop);
    const std::size_t rest = path_.length - at_;
    if (link.target.empty()) return fail(Errno::NoEntry);
    if (link.target.size() + rest > longest_path) return fail(Errno::NameTooLong);
    memmove(path_.text + link.target.size(), path_.text + at_, rest);
    memcpy(path_.text, link.target.data(), link.target.size());
    path_.length = link.target.size() + rest;
    at_ = 0;
    if (path_.text[0] == '/') node_ = &tree_.root();
    return more;
  }

  Tree& tree_;
  PathText& path_;
  LastLink last_;
  Found& found_;
  Node* node_;
  std::size_t at_ = 0;
  int links_ = 0;
};

}  // namespace

Value PathText::load(UserAddress path) {
  const auto result = user_string(text, reinterpret_cast<const char*>(path.value()), sizeof text);
  if (result < 0) return fail(Errno::Fault);
  if (static_cast<std::size_t>(result) == sizeof text) return fail(Errno::NameTooLong);
  length = static_cast<std::size_t>(result);
  return 0;
}

bool PathText::set(std::string_view path) {
  if (path.size() > sizeof text) return false;
  memcpy(text, path.data(), path.size());
  length = path.size();
  return true;
}

Value resolve(Tree& tree, Node& base, PathText& path, LastLink last, Found& found) {
  return Walk(tree, base, path, last, found).run();
}

Value resolve_user(int directory, UserAddress path, LastLink last, PathText& text, Found& found) {
  if (const Value result = text.load(path); result < 0) return result;
  Node* base = &working_directory();
  const bool absolute = text.length > 0 && text.text[0] == '/';
  if (!absolute && directory != at_working_directory) {
    const OpenFile* file = descriptor(directory);
    if (file == nullptr) return fail(Errno::BadFile);
    if (file->node == nullptr) return fail(Errno::NotDirectory);
    base = file->node;
  }
  return resolve(tree(), *base, text, last, found);
}

Value find_user(int directory, UserAddress path, LastLink last, Node*& node) {
  PathText text;
  Found found;
  const Value result = resolve_user(directory, path, last, text, found);
  if (result < 0) return result;
  node = found.node;
  return node == nullptr ? fail(Errno::NoEntry) : 0;
}

Node& working_directory() {
  if (current_directory == nullptr) set_working_directory(tree().root());
  return *current_directory;
}

void set_working_directory(Node& directory) {
  tree().hold(directory);
  if (current_directory != nullptr) tree().let_go(*current_directory);
  current_directory = &directory;
}

}  // namespace personality
