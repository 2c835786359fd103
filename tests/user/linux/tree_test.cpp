#include "user/linux/nodes.hpp"

#include <catch2/catch.hpp>

#include "tests/user/linux/fake_process.hpp"
#include "user/linux/paths.hpp"
#include "user/linux/tree_build.hpp"

using namespace personality;

namespace {

struct World {
  explicit World(const fake::ArchiveWriter& writer) {
    fake::reset();
    REQUIRE(tree.initialise());
    problem = build_tree(tree, writer.bytes());
  }
  std::int64_t error_of(std::string_view path) {
    std::int64_t error = 0;
    fake::find(tree, path, &error);
    return -error;
  }
  Tree tree;
  ArchiveProblem problem;
};

}  // namespace

TEST_CASE("directories that only paths imply exist") {
  fake::ArchiveWriter writer;
  World world(writer.file("a/b/c/file", "x").file("./a/other", "y").file("/a/b/third", "z").end());
  CHECK(world.problem.text.empty());
  for (const char* path : {"/a", "/a/b", "/a/b/c", "a/b/c/", "a/./b/../b/c"}) {
    REQUIRE(fake::find(world.tree, path) != nullptr);
    CHECK(fake::find(world.tree, path)->is_directory());
  }
  CHECK(fake::find(world.tree, "/a/other") != nullptr);
  CHECK(fake::find(world.tree, "/a")->links == 3);
  CHECK(fake::find(world.tree, "/a/b/third/") == nullptr);
  CHECK(world.error_of("/a/b/third/x") == 20);
  CHECK(world.error_of("/a/none/x") == 2);
}

TEST_CASE("names of one inode share a node whose data came with the last one") {
  fake::ArchiveWriter writer;
  writer.add("one", "", {0100644, 7, 2}).add("two", "content", {0100644, 7, 2}).file("three", "x");
  World world(writer.end());
  Node* one = fake::find(world.tree, "one");
  REQUIRE(one != nullptr);
  CHECK(one == fake::find(world.tree, "two"));
  CHECK(one != fake::find(world.tree, "three"));
  CHECK(one->links == 2);
  CHECK(one->holders == 0);
  CHECK(fake::read_all(one->content) == "content");
}

TEST_CASE("the later of two entries with one name wins, but a directory stays") {
  fake::ArchiveWriter writer;
  writer.file("name", "old").file("name", "new").file("d/x", "").file("d", "not a directory");
  World world(writer.end());
  CHECK(fake::read_all(fake::find(world.tree, "name")->content) == "new");
  CHECK(fake::find(world.tree, "d/x") != nullptr);
  CHECK_FALSE(world.problem.text.empty());
}

TEST_CASE("names that lead out of the archive are refused") {
  fake::ArchiveWriter writer;
  World world(writer.file("../out", "x").file("a/../../out", "x").file("good", "x").end());
  CHECK_FALSE(world.problem.text.empty());
  CHECK(fake::find(world.tree, "out") == nullptr);
  CHECK(fake::find(world.tree, "good") != nullptr);
}

TEST_CASE("symbolic links are followed, relative, absolute and in the middle, up to a limit") {
  fake::ArchiveWriter writer;
  writer.file("d/sub/file", "x").link("abs", "/d/sub").link("d/rel", "sub/file");
  writer.link("d/up", "../abs/file").link("loop", "loop").link("x", "y").link("y", "x");
  writer.link("dangling", "nowhere").link("l0", "d/sub/file");
  writer.link("d/absolute", "/d/sub/file").link("long", std::string(4000, '/'));
  for (int i = 1; i <= 45; ++i) {
    writer.link("l" + std::to_string(i), "l" + std::to_string(i - 1));
  }
  World world(writer.end());
  Node* file = fake::find(world.tree, "d/sub/file");
  REQUIRE(file != nullptr);
  for (const char* path : {"abs/file", "d/rel", "d/up", "d/absolute", "abs/../rel", "l0", "l39"}) {
    INFO(path);
    CHECK(fake::find(world.tree, path) == file);
  }
  for (const char* path : {"loop", "x", "loop/below", "l45"}) {
    INFO(path);
    CHECK(world.error_of(path) == 40);
  }
  CHECK(world.error_of("dangling") == 2);
  CHECK(world.error_of("d/rel/") == 20);
  CHECK(world.error_of("") == 2);
  CHECK(world.error_of(std::string(256, 'n')) == 36);
  CHECK(fake::find(world.tree, "long") == &world.tree.root());
  CHECK(world.error_of("long/" + std::string(100, '/')) == 36);
  CHECK(fake::find(world.tree, "/../../..") == &world.tree.root());
}

TEST_CASE("removed names are gone, and the node stays while it is held") {
  fake::ArchiveWriter writer;
  World world(writer.file("d/a", "one").file("d/b", "two").file("d/c", "three").end());
  Node* directory = fake::find(world.tree, "d");
  Entry* entry = world.tree.lookup(*directory, "b");
  REQUIRE(entry != nullptr);
  Node* node = entry->node;
  world.tree.hold(*node);
  world.tree.remove(*entry);
  CHECK(world.tree.lookup(*directory, "b") == nullptr);
  CHECK(node->links == 0);
  CHECK(fake::read_all(node->content) == "two");
  CHECK(directory->first->next == directory->last);
  world.tree.let_go(*node);
  // The first and the last entry go, too. Later entries come behind those that are left.
  for (const char* name : {"c", "a"}) {
    Entry* gone = world.tree.lookup(*directory, name);
    Node* file = gone->node;
    world.tree.remove(*gone);
    world.tree.drop_unused(*file);
    Node* added = world.tree.create(NodeType::File, 0644);
    Entry* last = world.tree.add(*directory, std::string("new ") + name, *added, Tree::Name::Copy);
    CHECK(directory->last == last);
    CHECK(last->next == nullptr);
  }
  CHECK(directory->first->name == "new c");
  CHECK(directory->first->next == directory->last);
}

TEST_CASE("thousands of names in one directory are all found") {
  fake::ArchiveWriter writer;
  for (int i = 0; i < 5000; ++i) writer.file("many/file " + std::to_string(i), std::to_string(i));
  World world(writer.end());
  for (int i = 0; i < 5000; ++i) {
    Node* node = fake::find(world.tree, "many/file " + std::to_string(i));
    REQUIRE(node != nullptr);
    CHECK(fake::read_all(node->content) == std::to_string(i));
  }
}

TEST_CASE("without memory the tree stays usable and says what is missing") {
  fake::ArchiveWriter writer;
  for (int i = 0; i < 2000; ++i) writer.file("dir " + std::to_string(i) + "/file", "x");
  writer.end();
  fake::reset(256 * 1024);
  Tree tree;
  REQUIRE(tree.initialise());
  CHECK_FALSE(build_tree(tree, writer.bytes()).text.empty());
  CHECK(fake::find(tree, "dir 0/file") != nullptr);
  CHECK(fake::find(tree, "dir 1999/file") == nullptr);
}
