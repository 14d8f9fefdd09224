"""Write the generated parts of the documentation anew; with --check, only say whether they are up to date."""

import sys

from emergence.io.documents import ROOT
from emergence.study import documentation

stale = documentation.stale()
for path, text in stale.items():
    if "--check" in sys.argv[1:]:
        print(f"{path}: its tables do not match the schemas; run `make docs`", file=sys.stderr)
    else:
        (ROOT / path).write_text(text, encoding="utf-8")
        print(f"{path}: written")
sys.exit(bool(stale) and "--check" in sys.argv[1:])
