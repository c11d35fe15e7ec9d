"""`make pictures`: the first page of every sheet of the demo book's workbooks as a picture under docs/pictures/.

LibreOffice makes the pages, poppler the pictures; docs/workbook.md shows them.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
#: Workbook of the demo run -> prefix of its pictures.
WORKBOOKS = {"ADV1": "advisor", "_firm": "firm", "_set_aside": "set-aside"}
DOTS_PER_INCH = "78"
FOOTER = re.compile(r"book [0-9a-f]{12}\s+(\S.*?)\s+Page \d+ of \d+")


def _run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def main(workbooks: Path) -> None:
    """Write one picture a sheet and print their names."""
    target = HERE / "pictures"
    target.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        files = [str(workbooks / f"{name}.xlsx") for name in WORKBOOKS]
        profile = f"-env:UserInstallation=file://{scratch}/profile"
        _run("soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", scratch, *files)
        for name, prefix in WORKBOOKS.items():
            pdf, seen = f"{scratch}/{name}.pdf", set()
            pages = _run("pdftotext", "-layout", pdf, "-").split("\f")
            for number, text in enumerate(pages, 1):
                sheet = FOOTER.search(text)
                if sheet is None or sheet[1] in seen:
                    continue
                seen.add(sheet[1])
                picture = target / f"{prefix}-{sheet[1].lower().replace(' ', '-')}"
                page = str(number)
                _run("pdftoppm", "-r", DOTS_PER_INCH, "-f", page, "-l", page, "-singlefile", "-png", pdf, str(picture))
                print(f"{picture.name}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
