#include "user/monitor/files.hpp"

#include <cstdio>
#include <string>

#include "tests/catch.hpp"

namespace {

std::string entry(const std::string& name, unsigned mode, const std::string& data) {
  const auto padded = [](std::string text) {
    while (text.size() % 4 != 0) text += '\0';
    return text;
  };
  char header[111];
  std::snprintf(header, sizeof header,
                "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x", 1, mode, 0, 0, 1, 0,
                data.size(), 0, 0, 0, 0, name.size() + 1, 0);
  return padded(header + name + '\0') + padded(data);
}

std::string found(const std::string& archive, const char* name) {
  const auto file = monitor::find_file(std::as_bytes(std::span{archive}), name);
  if (!file) return "none";
  return {reinterpret_cast<const char*>(file->data()), file->size()};
}

}  // namespace

TEST_CASE("a file is found by its name, whichever way the archive was made") {
  const std::string archive = entry(".", 040755, "") + entry("kernel", 0100644, "first") +
                              entry("./initrd", 0100644, "second") + entry("boot", 040755, "") +
                              entry("TRAILER!!!", 0, "");
  CHECK(found(archive, "kernel") == "first");
  CHECK(found(archive, "/kernel") == "first");
  CHECK(found(archive, "initrd") == "second");
  CHECK(found(archive, "boot") == "none");  // a folder
  CHECK(found(archive, "other") == "none");
  CHECK(found("", "kernel") == "none");
}
