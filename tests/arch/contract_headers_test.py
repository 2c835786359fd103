"""Each arch/NAME.hpp tells by its name where its functions are defined: arch/x86_64/NAME.cpp."""

import re
import sys
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
CONTRACT, MACHINE = TOP / "arch", TOP / "arch" / "x86_64"


def without_comments(text):
    return re.sub(r"//[^\n]*", "", text)


# Namespaces are not indented, so what stands in the first column is not a member of a class.
def declared_functions(header):
    return re.findall(r"^[\w\[][^\n;{}()=]*?\b(\w+)\([^;{}]*\)(?: noexcept)?;",
                      without_comments(header), re.MULTILINE)


def is_defined(name, source):
    return re.search(rf"^\w[^\n;{{}}()=]*?\b{name}\([^;{{}}]*\) {{",
                     without_comments(source), re.MULTILINE) is not None


def misplaced(header, source):
    return [name for name in declared_functions(header) if not is_defined(name, source)]


class ContractHeaders(unittest.TestCase):
    def test_functions_are_defined_in_the_file_of_the_headers_name(self):
        seen = 0
        for header in sorted(CONTRACT.glob("*.hpp")):
            source = MACHINE / f"{header.stem}.cpp"
            text = source.read_text(encoding="utf-8") if source.exists() else ""
            declarations = header.read_text(encoding="utf-8")
            self.assertEqual(misplaced(declarations, text), [], header.name)
            seen += len(declared_functions(declarations))
        self.assertGreater(seen, 40)

    def test_a_function_that_stands_elsewhere_is_found(self):
        header = "[[nodiscard]] std::uint64_t place(int a,\n    int b);\n// void note();\nclass A {\n  void f();\n};\n"
        self.assertEqual(declared_functions(header), ["place"])
        self.assertEqual(misplaced(header, "std::uint64_t place(int a, int b) {\n  return 0;\n}\n"), [])
        for elsewhere in ("", "  place(1, 2);\n", "std::uint64_t place(int a, int b);\n"):
            self.assertEqual(misplaced(header, elsewhere), ["place"])


if __name__ == "__main__":
    sys.exit(unittest.main())
