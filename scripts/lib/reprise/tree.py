"""Where things lie in the source and build trees, and building them."""

import os
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[3]


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


def _logged(command, log):
    """Runs a step of the build; its output goes to the log and is shown only when it fails."""
    log.write(f"$ {' '.join(map(str, command))}\n")
    log.flush()
    if subprocess.run(command, cwd=TOP, stdout=log, stderr=subprocess.STDOUT).returncode != 0:
        log.flush()
        tail = Path(log.name).read_text(errors="replace").splitlines()[-40:]
        raise BuildError("\n".join([*tail, f"the build failed; all of it is in {log.name}"]))


def build(preset="kernel", target=None, say=None):
    """Configures and builds a preset in its own directory; quick when nothing has changed."""
    directory = build_dir(preset)
    if preset == "kernel" and os.environ.get("REPRISE_BUILD"):
        return
    directory.mkdir(parents=True, exist_ok=True)
    fresh = not (directory / "build.ninja").exists()
    with open(directory / "build.log", "w", encoding="utf-8") as log:
        if fresh and say:
            say(f"building {preset} for the first time, a minute or so ({log.name})")
        if fresh:
            _logged(["cmake", "--preset", preset], log)
        goal = ["--target", target] if target else []
        _logged(["cmake", "--build", "--preset", preset, *goal], log)


def say(text):
    """A line for the person at the keyboard, apart from what programs print."""
    print(f"{sys.argv[0]}: {text}", file=sys.stderr, flush=True)
