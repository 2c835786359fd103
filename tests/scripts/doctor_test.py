"""scripts/doctor on systems that lack something, played by a PATH of its own: its `apt-get` makes a
command appear, and fails when another one runs at the same time, as the real one does."""

import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import listed

TOP = Path(__file__).resolve().parents[2]
DOCTOR = TOP / "scripts" / "doctor"
COMMANDS = ["bash", "cat", "chmod", "cut", "dirname", "flock", "mkdir", "readlink", "rm", "rmdir", "sed", "sleep",
            "tr"]
APT = """\
#!/bin/sh
mkdir "$TMPDIR/busy" || exit 100
echo "$@" >> "$TMPDIR/calls"
sleep 1
for word; do
  case $word in nasm|ninja-build) printf '#!/bin/sh\\n' > "{folder}/${{word%-build}}" ;;
    linux-image-*) : > "${{word}}_1.deb" ;; esac
done
chmod +x "{folder}"/*
rmdir "$TMPDIR/busy"
"""


class Doctor(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory(prefix="reprise-doctor-")
        self.addCleanup(scratch.cleanup)
        self.scratch = Path(scratch.name)
        self.commands = self.scratch / "commands"
        self.commands.mkdir()
        for name in COMMANDS:
            (self.commands / name).symlink_to(shutil.which(name))
        # Whatever this machine has: all that doctor asks for, but two packages.
        for line in DOCTOR.read_text().splitlines():
            fields = line.split("|")
            if len(fields) == 4 and "/" not in fields[2] and " " not in fields[2]:
                self.add_command(fields[2])
        for name in ("nasm", "ninja"):
            (self.commands / name).unlink()
        self.add_command("id", "#!/bin/sh\necho 0\n")
        self.add_command("apt-get", APT.format(folder=self.commands))

    def add_command(self, name, text="#!/bin/sh\n"):
        path = self.commands / name
        if not path.exists():
            path.write_text(text)
            path.chmod(0o755)

    def started(self, *arguments, doctor=DOCTOR):
        environment = {"PATH": str(self.commands), "TMPDIR": str(self.scratch)}
        return subprocess.Popen([doctor, *arguments], env=environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def said(self, *arguments, status, **how):
        process = self.started(*arguments, **how)
        output, _ = process.communicate()
        self.assertEqual(process.returncode, status, output)
        return output

    def calls(self):
        return (self.scratch / "calls").read_text().splitlines()

    def test_what_is_missing_is_listed_with_the_command_to_type(self):
        output = self.said("develop", status=1)
        self.assertIn("apt-get install --no-install-recommends ninja-build nasm\n", output)

    def test_the_help_names_every_option_and_purpose(self):
        output = self.said("--help", status=0)
        for word in ("--install", "--quiet", "--found", "run", "test", "toolchain", "develop"):
            self.assertIn(word, output)
        self.said("--nonsense", status=2)

    def test_as_root_what_is_missing_is_installed_once(self):
        output = self.said("--install", "--quiet", "run", status=0)
        self.assertIn("doctor: installing ninja-build nasm\n", output)
        self.assertEqual(self.said("--install", "--quiet", "run", status=0), "")
        self.assertEqual(len(self.calls()), 1)

    def test_a_user_who_is_not_root_is_told_what_to_type(self):
        (self.commands / "id").write_text("#!/bin/sh\necho 1000\n")
        output = self.said("--install", "--quiet", "run", status=1)
        self.assertIn("missing: nasm: ", output)
        self.assertIn("sudo apt-get update && sudo apt-get install", output)
        self.assertFalse((self.scratch / "calls").exists())

    def test_a_kernel_is_unpacked_below_the_tree_and_not_installed(self):
        (self.scratch / "scripts").mkdir()
        doctor = self.scratch / "scripts" / "doctor"
        shutil.copy(DOCTOR, doctor)
        self.add_command("apt-cache", "#!/bin/sh\necho '  Depends: linux-image-7.1-cloud-amd64'\n")
        self.add_command("dpkg", '#!/bin/sh\n[ -f "$2" ] && mkdir -p boot && : > boot/vmlinuz-7.1-cloud-amd64\n')
        kernel = self.scratch / "build" / "unpacked" / "boot" / "vmlinuz-7.1-cloud-amd64"
        self.assertNotIn(str(kernel), self.said("--found", "test", status=0, doctor=doctor))
        self.assertIn("doctor: unpacking linux-image-cloud-amd64 into build/unpacked\n",
                      self.said("--install", "--quiet", "test", status=0, doctor=doctor))
        self.assertIn(str(kernel), self.said("--found", "test", status=0, doctor=doctor))
        self.assertEqual([path.name for path in kernel.parents[1].iterdir()], ["boot"])
        self.assertEqual(self.said("--install", "--quiet", "test", status=0, doctor=doctor), "")
        self.assertEqual([line for line in self.calls() if "install" in line and "linux" in line], [])
        self.assertEqual(self.said("--install", "--quiet", "long", status=0, doctor=doctor),
                         "doctor: unpacking linux-image-6.12-rt-amd64 into build/unpacked\n")

    def test_two_that_install_at_once_take_turns(self):
        both = [self.started("--install", "--quiet", "run") for _ in range(2)]
        outputs = [process.communicate()[0] for process in both]
        self.assertEqual([process.returncode for process in both], [0, 0], outputs)
        waited = "doctor: waiting for another doctor that installs packages\n"
        self.assertEqual(sorted(output.count(waited) for output in outputs), [0, 1], outputs)
        self.assertEqual(len(self.calls()), 1)

    def test_found_lists_what_is_there_and_changes_with_it(self):
        before = self.said("--found", "test", status=0).splitlines()
        self.add_command("nasm")
        after = self.said("--found", "test", status=0).splitlines()
        self.assertEqual(set(after) - set(before), {str((self.commands / "nasm").resolve())})


if __name__ == "__main__":
    listed.main()
