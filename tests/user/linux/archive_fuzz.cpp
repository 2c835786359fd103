// Builds a tree from any bytes as an archive, and checks that the tree is sound: every file can be
// read, every link and path can be resolved, and everything can be written and removed again.
#include <cstdlib>

#include "tests/user/linux/fake_process.hpp"
#include "user/linux/heap.hpp"
#include "user/linux/paths.hpp"
#include "user/linux/tree_build.hpp"

using namespace personality;

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

void visit(Tree& tree, Node& directory, int depth) {
  require(directory.is_directory());
  std::uint64_t cookie = 2;
  for (Entry* entry = directory.first; entry != nullptr; entry = entry->next) {
    require(entry->parent == &directory && tree.lookup(directory, entry->name) == entry);
    require(!entry->name.empty() && entry->name.find('/') == entry->name.npos);
    require(entry->cookie > cookie);
    cookie = entry->cookie;
    if (entry->node->type == NodeType::File) {
      require(fake::read_all(entry->node->content).size() == entry->node->content.size());
      require(entry->node->content.write(entry->node->content.size() / 2, fake::user("x"), 1) == 1);
    }
    PathText text;
    Found found;
    if (text.set(entry->name)) {
      static_cast<void>(resolve(tree, directory, text, LastLink::Follow, found));
    }
    if (entry->node->is_directory() && depth < 64) visit(tree, *entry->node, depth + 1);
  }
}

void remove_all(Tree& tree, Node& directory, int depth) {
  while (directory.first != nullptr) {
    Node& node = *directory.first->node;
    if (node.is_directory() && depth < 64) remove_all(tree, node, depth + 1);
    tree.remove(*directory.first);
    tree.drop_unused(node);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes) {
  fake::reset(1ull << 28);
  Tree tree;
  require(tree.initialise());
  static_cast<void>(build_tree(tree, std::as_bytes(std::span(data, bytes))));
  add_builtin_files(tree, "/program", "7");
  visit(tree, tree.root(), 0);
  for (const char* path : {"dev/null", "/tmp/", "proc/self/exe", "a/b", "../x/./y"}) {
    static_cast<void>(fake::find(tree, path));
  }
  remove_all(tree, tree.root(), 0);
  require(tree.count() == 0);
  return 0;
}
