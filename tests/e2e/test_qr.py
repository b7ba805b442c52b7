#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The QR code of a contact link, as a terminal shows it, reads back as the identical link."""
import shutil
import subprocess
import sys

from kithlib import Member, Relay, World, claim, skip

SCALE = 6


def bitmap(lines):
    """Rows of modules (True: dark) from half blocks drawn in black and white."""
    rows = []
    for line in lines:
        body = line[line.index("m") + 1:line.rindex("\x1b")]
        # (upper, lower) inked halves; the ink is the foreground colour
        halves = {" ": (0, 0), "\u2580": (1, 0), "\u2584": (0, 1), "\u2588": (1, 1)}
        ink_is_dark = "\x1b[30;107m" in line
        for half in (0, 1):
            rows.append([bool(halves[c][half]) == ink_is_dark for c in body])
    return rows


def write_pbm(path, rows):
    with open(path, "w", encoding="ascii") as f:
        f.write(f"P1\n{len(rows[0]) * SCALE} {len(rows) * SCALE}\n")
        for row in rows:
            line = "".join(("1" if dark else "0") * SCALE for dark in row)
            f.write((line + "\n") * SCALE)


def main():
    if shutil.which("zbarimg") is None:
        skip("zbarimg is not here")
    with World() as world:
        relay, ann = Relay(world), Member(world, "ann")
        ann.join(relay.first_invite or relay.invite())
        shown = ann.good("link", "--color=always").splitlines()
        with claim("it fits a terminal of 80 x 24 with its colours set explicitly"):
            code = [x for x in shown if x.startswith("\x1b[")]
            assert 10 < len(code) <= 23, len(code)
            assert all(x.endswith("\x1b[0m") for x in code)
        with claim("a reader finds the identical link in it"):
            picture = world.path("code.pbm")
            write_pbm(picture, bitmap(code))
            read = subprocess.run(["zbarimg", "--quiet", "--raw", picture], capture_output=True,
                                  text=True, timeout=60, check=False).stdout.strip()
            assert read == shown[0], (read, shown[0])


if __name__ == "__main__":
    sys.exit(main())
