"""The pages for readers (README, CONTRIBUTING, docs/) name only what the tree has: files,
headings that links lead to, functions and types. Run by hand: python3 -B tests/style/pages.py"""

import re
import sys
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
FOLDERS = ["arch", "boot", "docs", "kernel", "libdwc", "scripts", "tests", "user"]
PAGES = sorted([TOP / "README.md", TOP / "CONTRIBUTING.md", *(TOP / "docs").glob("*.md")])

FILES = [path for folder in FOLDERS for path in (TOP / folder).rglob("*")
         if path.is_file() and "__pycache__" not in path.parts]
CODE = {".hpp", ".cpp", ".h", ".asm", ".py", ".c", ".txt", ".cmake", ".ld"}
FILE_NAME = re.compile(r"[\w./*-]+\.(?:hpp|cpp|h|asm|py|md|c|txt|cmake|ld|patch)\b")
CALL = re.compile(r"(?:[A-Za-z_]\w*::)*([A-Za-z_]\w*)\(\)")
TYPE = re.compile(r"(?:[a-z]\w*::)?([A-Z][a-z0-9]+(?:[A-Z][a-z0-9]*)*)")

# Names that a page may use although no source file has them: those of other systems, and those
# of a recipe's example.
FOREIGN = {"write", "PascalCase"}


def prose(page):
    """The page without its blocks of code."""
    without_fences = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.S | re.M)
    return re.sub(r"^    .*$", "", without_fences, flags=re.M)


def quoted(page):
    """What stands in backticks, beside blocks of code."""
    return re.findall(r"`([^`\n]+)`", prose(page))


def anchor(heading):
    """The fragment that GitHub gives a heading."""
    text = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return text.replace(" ", "-")


def words_of_code():
    words = set()
    for path in FILES:
        if path.suffix in CODE and path != Path(__file__).resolve():
            words.update(re.findall(r"\w+", path.read_text(errors="replace")))
    return words


def exists(name, folder):
    """A path from the top or from the page's folder, a pattern, or the end of some file's path."""
    if "*" in name:
        return any(TOP.glob(name))
    if (TOP / name).exists() or (folder / name).exists():
        return True
    return any(str(path).endswith("/" + name) for path in FILES)


class Pages(unittest.TestCase):
    def report(self, wrong):
        self.assertEqual([], wrong, "named, but not in the tree")

    def test_every_file_that_a_page_names_exists(self):
        wrong = []
        for page in PAGES:
            for text in quoted(page):
                names = FILE_NAME.findall(text) if " " not in text else []
                if not names and re.fullmatch(r"[a-z_]+/[\w./-]*", text.split(" ")[0]):
                    names = [text.split(" ")[0].rstrip("/")]
                wrong += [f"{page.name}: {name}" for name in names
                          if name.split("/")[0] not in ("build", "PRESET")
                          and not re.search("[A-Z]{4}", name.split(".")[0].replace("README", "")
                                            .replace("CONTRIBUTING", "").replace("CHANGELOG", ""))
                          and not exists(name, page.parent)]
        self.report(wrong)

    def test_every_link_leads_to_a_file_and_a_heading(self):
        wrong = []
        for page in PAGES:
            for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
                if target.startswith("http"):
                    continue
                file, _, fragment = target.partition("#")
                goal = page.parent / file if file else page
                if not goal.exists():
                    wrong.append(f"{page.name}: {target}")
                elif fragment:
                    headings = re.findall(r"^#+ (.*)$", goal.read_text(), flags=re.M)
                    if fragment not in map(anchor, headings):
                        wrong.append(f"{page.name}: {target}")
        self.report(wrong)

    def test_every_function_and_type_that_a_page_names_is_in_the_code(self):
        known = words_of_code() | FOREIGN
        wrong = []
        for page in PAGES:
            for text in quoted(page):
                names = CALL.findall(text)
                whole = TYPE.fullmatch(text)
                names += [whole.group(1)] if whole else []
                wrong += [f"{page.name}: {name}" for name in names if name not in known]
        self.report(wrong)

    def test_every_block_of_a_drawing_is_closed(self):
        wrong = [page.name for page in PAGES if page.read_text().count("```") % 2 != 0]
        self.report(wrong)


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    unittest.main()
