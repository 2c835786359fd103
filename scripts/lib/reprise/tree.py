"""Where things lie in the source and build trees, and building them.

A build tree belongs to one source folder and to the tools that were there when CMake looked for
them. build() writes both down beside the tree's cache (configured.json). When either has changed,
it configures the tree anew, so that the order of commands and installations never matters. A tree
that was configured in another folder is emptied first: its paths would lead back there.
"""

import contextlib
import errno
import fcntl
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[3]
STAMP = "configured.json"
LOG = "build.log"


class BuildError(Exception):
    """The build failed; the text says where to look."""


def build_dir(preset="kernel"):
    """REPRISE_BUILD names a kernel build tree made elsewhere (ctest does so for the boot tests)."""
    if preset == "kernel" and os.environ.get("REPRISE_BUILD"):
        return Path(os.environ["REPRISE_BUILD"])
    return TOP / "build" / preset


def kernel():
    return build_dir() / "bin" / "kernel.elf"


def init():
    return build_dir() / "bin" / "init"


def personality():
    return build_dir() / "bin" / "personality"


def native_programs():
    """Name and file of each program built against the native ABI."""
    folder = build_dir() / "bin" / "programs"
    found = folder.iterdir() if folder.is_dir() else []
    return {path.name: path for path in sorted(found) if path.is_file() and os.access(path, os.X_OK)}


def linux_program(name):
    return build_dir() / "bin" / "linux" / name


def pmu_plugin():
    """QEMU's plugin that models a PMU (tests/pmu_plugin); the target is called pmu_plugin."""
    return build_dir() / "bin" / "pmu_plugin.so"


def fault_plugin():
    """QEMU's plugin that flips bits from outside (tests/fault_plugin); the target is called fault_plugin."""
    return build_dir() / "bin" / "fault_plugin.so"


@contextlib.contextmanager
def alone_in(directory):
    """Keeps every other process that asks for the same directory waiting until the end."""
    directory.mkdir(parents=True, exist_ok=True)
    handle = os.open(directory, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another process that works in {directory}")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _output_of(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def _configuration():
    """What a configured tree depends on besides the sources, which CMake watches itself."""
    name = "x86_64-elf-g++"
    built = Path(_output_of(TOP / "scripts" / "toolchain", "--where").strip(), "bin", name)
    cross = shutil.which(name) or (str(built) if built.exists() else "")
    return {"source": str(TOP), "cross compiler": cross,
            "tools": _output_of(TOP / "scripts" / "doctor", "--found", "test").splitlines()}


def _written_configuration(directory):
    """What an earlier build() wrote down, or nothing."""
    try:
        return json.loads((directory / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _source_of(directory):
    """The source folder that a tree was configured for, or None when nothing tells."""
    with contextlib.suppress(OSError):
        for line in (directory / "CMakeCache.txt").read_text(errors="replace").splitlines():
            if line.startswith("CMAKE_HOME_DIRECTORY:"):
                return line.partition("=")[2]
    return _written_configuration(directory).get("source")


def _empty(directory):
    """Deletes what is in the directory, not the directory itself: its lock is held."""
    for entry in directory.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _logged(command, log):
    """Runs a step of the build; its output goes to the log and is shown only when it fails."""
    log.write(f"$ {' '.join(map(str, command))}\n")
    log.flush()
    if subprocess.run(command, cwd=TOP, stdout=log, stderr=subprocess.STDOUT).returncode != 0:
        log.flush()
        tail = Path(log.name).read_text(errors="replace").splitlines()[-40:]
        raise BuildError("\n".join([*tail, f"the build failed; all of it is in {log.name}"]))


def _prepare(directory):
    """Makes the tree ready to be configured, and returns what is to be written down then; None when
    it is configured already, for this folder and these tools."""
    now = _configuration()
    whole = (directory / "CMakeCache.txt").exists() and (directory / "build.ninja").exists()
    if whole and _written_configuration(directory) == now:
        return None
    source = _source_of(directory)
    if source is None or Path(source).resolve() != TOP:
        _empty(directory)
    (directory / STAMP).unlink(missing_ok=True)
    return now


def build(preset="kernel", target=None, say=None):
    """Builds a preset in its own directory, which it configures first where that is necessary;
    quick when nothing has changed."""
    directory = build_dir(preset)
    if preset == "kernel" and os.environ.get("REPRISE_BUILD"):
        return
    try:
        _build(preset, directory, target, say)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        raise BuildError(f"{error.filename} cannot be written ({error.strerror}), and the build has to go there: copy {TOP} "
                         "to a folder of yours and start it there") from error


def _build(preset, directory, target, say):
    with alone_in(directory):
        configuration = _prepare(directory)
        first_time = not (directory / "build.ninja").exists()
        with open(directory / LOG, "w", encoding="utf-8") as log:
            if first_time and say:
                say(f"building {preset} for the first time, a minute or so ({log.name})")
            if configuration:
                _logged(["cmake", "--preset", preset, "--fresh"], log)
                (directory / STAMP).write_text(json.dumps(configuration, indent=1))
            goal = ["--target", target] if target else []
            _logged(["cmake", "--build", "--preset", preset, *goal], log)


def say(text):
    """A line for the person at the keyboard, apart from what programs print."""
    print(f"{sys.argv[0]}: {text}", file=sys.stderr, flush=True)
