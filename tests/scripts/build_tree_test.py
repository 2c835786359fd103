"""Build trees: whatever was missing when a tree was first configured, and wherever its folder has
been since, scripts/lib/reprise/tree.py builds what the sources say with the tools that are there.

Most tests build a small project with this tree's own scripts, presets and toolchain file. Its one
output, bin/answer, says where it was built and with what.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import listed

TOP = Path(__file__).resolve().parents[2]
# What the small project's tools need of this machine. The PATH of its builds holds nothing else, so
# that a tool can be missing and come later.
COMMANDS = ["ar", "as", "bash", "cat", "cmake", "cut", "dirname", "g++", "gcc", "git", "id", "ld",
            "ninja", "nproc", "python3", "ranlib", "readlink", "sh", "sleep", "tr", "uname"]
PROJECT = """\
cmake_minimum_required(VERSION 3.25)
project(small LANGUAGES CXX)
find_program(MUSL musl-gcc NO_DEFAULT_PATH PATHS ENV PATH)
set(answer ${PROJECT_BINARY_DIR}/bin/answer)
set(source ${PROJECT_SOURCE_DIR}/source.txt)
file(WRITE ${PROJECT_BINARY_DIR}/configured "${PROJECT_SOURCE_DIR}|${MUSL}|${CMAKE_CXX_COMPILER}|")
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
add_library(object OBJECT one.cpp)
add_custom_command(OUTPUT ${answer}
  COMMAND sh -c "test ! -e slow || sleep 3"
  COMMAND sh -c "cat build/kernel/configured source.txt >> build/kernel/bin/answer"
  DEPENDS ${PROJECT_BINARY_DIR}/configured ${source} object
  WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} VERBATIM)
add_custom_target(all_of_it ALL DEPENDS ${answer})
"""


class SmallProject(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="reprise-tree-")
        self.addCleanup(scratch.cleanup)
        self.scratch = Path(scratch.name).resolve()
        self.commands = self.scratch / "commands"
        self.commands.mkdir()
        for name in COMMANDS:
            (self.commands / name).symlink_to(shutil.which(name))
        self.toolchain = self.scratch / "toolchain"

    def make_project(self, name="project"):
        top = self.scratch / name
        shutil.copytree(TOP / "scripts", top / "scripts",
                        ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(TOP / "CMakePresets.json", top)
        (top / "CMakeLists.txt").write_text(PROJECT)
        (top / "one.cpp").write_text("int one() { return 1; }\n")
        (top / "source.txt").write_text("first\n")
        return top

    def started(self, top):
        """A build of the project as scripts/run and scripts/test start it."""
        environment = {"PATH": str(self.commands), "HOME": str(self.scratch),
                       "REPRISE_TOOLCHAIN": str(self.toolchain)}
        code = "import sys; sys.argv[0] = 'build'; from reprise import tree; tree.build('kernel')"
        return subprocess.Popen(
            [sys.executable, "-B", "-c", code], cwd=top / "scripts" / "lib", env=environment,
            text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def build(self, top):
        """Builds the project; returns what its output says: folder, musl-gcc, compiler, source."""
        process = self.started(top)
        said, _ = process.communicate()
        self.assertEqual(process.returncode, 0, said)
        return self.answer(top)

    def answer(self, top):
        text = (top / "build" / "kernel" / "bin" / "answer").read_text().splitlines()[-1]
        return text.split("|")

    def install(self, name):
        """A tool that was not there before: a second name of the compiler."""
        folder = self.commands
        if name.startswith("x86_64-elf-"):
            folder = self.toolchain / "bin"
            folder.mkdir(parents=True, exist_ok=True)
        tool = folder / name
        real = shutil.which("g++" if name.endswith("++") else "gcc")
        tool.write_text(f'#!/bin/sh\nexec {real} "$@"\n')
        tool.chmod(0o755)
        return str(tool)


class BuildTree(SmallProject):
    def test_what_is_installed_after_the_first_build_is_found_by_the_next(self):
        top = self.make_project()
        self.assertEqual(self.build(top)[1], "MUSL-NOTFOUND")
        musl = self.install("musl-gcc")
        self.assertEqual(self.build(top)[1], musl)

    def test_a_cross_compiler_that_is_built_later_is_used_from_then_on(self):
        top = self.make_project()
        self.assertEqual(Path(self.build(top)[2]).name, "g++")
        self.install("x86_64-elf-gcc")
        cross = self.install("x86_64-elf-g++")
        self.assertEqual(self.build(top)[2], cross)
        shutil.rmtree(self.toolchain)
        self.assertEqual(Path(self.build(top)[2]).name, "g++")

    def test_a_checkout_that_was_moved_builds_where_it_is(self):
        top = self.make_project()
        self.build(top)
        moved = top.rename(self.scratch / "moved")
        (moved / "source.txt").write_text("second\n")
        folder, _, _, source = self.build(moved)
        self.assertEqual((folder, source), (str(moved), "second"))

    def test_a_copy_builds_its_own_sources_and_leaves_the_original_alone(self):
        top = self.make_project()
        self.build(top)
        copy = self.scratch / "copy"
        shutil.copytree(top, copy, symlinks=True)
        (copy / "source.txt").write_text("second\n")
        folder, _, _, source = self.build(copy)
        self.assertEqual((folder, source), (str(copy), "second"))
        self.assertEqual(self.answer(top)[3], "first")

    def test_a_copy_of_a_tree_that_was_configured_by_hand_builds_its_own_sources_too(self):
        top = self.make_project()
        self.build(top)
        copy = self.scratch / "copy"
        shutil.copytree(top, copy, symlinks=True)
        (copy / "build" / "kernel" / "configured.json").unlink()
        self.assertEqual(self.build(copy)[0], str(copy))

    def test_a_tree_whose_cache_is_gone_is_configured_again(self):
        top = self.make_project()
        self.build(top)
        (top / "build" / "kernel" / "CMakeCache.txt").unlink()
        (top / "source.txt").write_text("second\n")
        self.assertEqual(self.build(top)[3], "second")

    def test_a_first_build_that_failed_is_done_again(self):
        top = self.make_project()
        text = (top / "CMakeLists.txt").read_text()
        (top / "CMakeLists.txt").write_text(text + 'message(FATAL_ERROR "not yet")\n')
        process = self.started(top)
        said, _ = process.communicate()
        self.assertNotEqual(process.returncode, 0)
        self.assertIn("not yet", said)
        (top / "CMakeLists.txt").write_text(text)
        self.assertEqual(self.build(top)[0], str(top))

    def test_nothing_is_configured_or_built_twice(self):
        top = self.make_project()
        self.build(top)
        tree = top / "build" / "kernel"
        before = {file: (tree / file).stat().st_mtime_ns for file in ("build.ninja", "bin/answer")}
        self.build(top)
        self.assertEqual({file: (tree / file).stat().st_mtime_ns for file in before}, before)

    def test_two_first_builds_at_once_take_turns_and_the_second_says_so(self):
        top = self.make_project()
        tree = top / "build" / "kernel"
        (top / "slow").touch()
        first = self.started(top)
        while not (tree / "build.log").exists() and first.poll() is None:
            time.sleep(0.01)
        second = self.started(top)
        said, _ = second.communicate()
        self.assertEqual(second.returncode, 0, said)
        self.assertIn(f"waiting for another process that works in {tree}", said)
        said, _ = first.communicate()
        self.assertEqual((first.returncode, said), (0, ""))
        self.assertEqual((tree / "bin" / "answer").read_text().count("first"), 1, "built twice")


class PathWithSpaces(unittest.TestCase):
    """A copy of the whole tree in a folder whose name has spaces."""

    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="reprise-tree-")
        self.addCleanup(scratch.cleanup)
        self.top = Path(scratch.name) / "a path with spaces"
        shutil.copytree(TOP, self.top, symlinks=True, ignore=self.not_sources)

    def not_sources(self, folder, names):
        own = {"build", ".git"} if Path(folder) == TOP else set()
        return own | {"__pycache__"}

    def said(self, *command):
        environment = {k: v for k, v in os.environ.items() if k != "REPRISE_BUILD"}
        done = subprocess.run(command, cwd=self.top, env=environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(done.returncode, 0, done.stdout[-5000:])
        return done.stdout

    def test_each_kind_of_build_step_copes_with_a_path_that_has_spaces(self):
        # Offsets by sed, assembly with includes, a linker script, a native and a Linux program.
        targets = ["boot", "program_compute", "linux_program_files"]
        self.said("cmake", "--preset", "kernel")
        self.said("cmake", "--build", "--preset", "kernel", "--target", *targets)
        listed_tests = self.said("ctest", "--test-dir", "build/kernel", "-R", "^layers: ")
        self.assertIn("100% tests passed", listed_tests)

    @listed.long_test
    def test_a_checkout_whose_path_has_spaces_runs_a_program(self):
        (self.top / "a file").write_text("found\n")
        said = self.said(self.top / "scripts" / "run", "/bin/busybox", "cat", "a file")
        self.assertIn("\nfound\n", said)


if __name__ == "__main__":
    listed.main()
