# SPDX-License-Identifier: Apache-2.0
"""What the checks of this folder share: which files there are, and how a check ends."""
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
CODE = (".cpp", ".hpp", ".h", ".c")


def files(root=ROOT):
    """Paths, relative to root, of what belongs to the project: tracked by git, or all of an unpacked archive."""
    listing = subprocess.run(["git", "-c", f"safe.directory={root}", "-C", root, "ls-files", "-z", "--cached",
                              "--others", "--exclude-standard"], capture_output=True, text=True) \
        if (root / ".git").exists() else None
    if listing is not None and listing.returncode == 0:
        names = [name for name in listing.stdout.split("\0") if name]
    else:
        names = [str(path.relative_to(root)) for path in root.rglob("*")]
    return sorted(name for name in names if not name.startswith("build/") and (root / name).is_file())


def main(check, faulty_files):
    """Runs check(root) on the project, or with --self-test on files that each must be found at fault."""
    if sys.argv[1:] == ["--self-test"]:
        return self_test(check, faulty_files)
    violations = check(ROOT)
    for violation in violations:
        print(violation)
    if not files():
        print("no source file found")
        return 1
    return 1 if violations else 0


def self_test(check, faulty_files):
    missed = 0
    for name, text in faulty_files:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            found = [line for line in check(pathlib.Path(folder)) if name in line]
        print(found[0] if found else f"not found at fault: {name}: {text!r}")
        missed += not found
    return 1 if missed or not faulty_files else 0
