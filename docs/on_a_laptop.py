"""`make laptop`: two sheets of a demo workbook as a laptop of 1366 x 768 shows them at 100%, under docs/pictures/.

LibreOffice opens the workbook in a window on a screen of that size (Xvfb), without its sidebar; scrot takes pictures.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

HERE = Path(__file__).parent
WIDTH, HEIGHT = "1366", "768"
DISPLAY = ":97"
SCREEN = {"DISPLAY": DISPLAY, "SAL_USE_VCLPLUGIN": "gen", "PATH": "/usr/bin:/bin"}
#: The sheets in the order of the workbook.
SHEETS = ("today", "exceptions")


def _ask(*command: str) -> str:
    return subprocess.run(command, env=SCREEN, capture_output=True, text=True, check=False).stdout.strip()


def _window() -> str:
    """The spreadsheet's window, once it is there; a slow machine takes a minute."""
    for _ in range(60):
        time.sleep(2)
        found = _ask("xdotool", "search", "--onlyvisible", "--name", "LibreOffice").split()
        if found:
            return found[0]
    raise TimeoutError("LibreOffice showed no window in two minutes")


def main(workbook: Path) -> None:
    """Write one picture a sheet and print their names."""
    with ExitStack() as stack:
        scratch = stack.enter_context(tempfile.TemporaryDirectory())
        screen = ["Xvfb", DISPLAY, "-screen", "0", f"{WIDTH}x{HEIGHT}x24"]
        stack.callback(subprocess.Popen(screen).terminate)
        time.sleep(2)
        office = ["soffice", f"-env:UserInstallation=file://{scratch}/profile", "--norestore", "--nologo"]
        office += ["--nofirststartwizard", str(workbook.resolve())]
        stack.callback(subprocess.Popen(office, env=SCREEN | {"HOME": scratch}).wait, 60)
        window = _window()
        stack.callback(_ask, "xdotool", "key", "--window", window, "ctrl+q")
        time.sleep(8)
        _ask("xdotool", "windowmove", window, "0", "0", "windowsize", window, WIDTH, HEIGHT)
        _ask("xdotool", "key", "--window", window, "ctrl+F5")  # the sidebar is no part of what an advisor reads
        for place, sheet in enumerate(SHEETS):
            if place:
                _ask("xdotool", "key", "--window", window, "ctrl+Next")
            time.sleep(4)
            picture = HERE / "pictures" / f"laptop-{sheet}.png"
            _ask("scrot", "--overwrite", str(picture))
            print(picture.name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
