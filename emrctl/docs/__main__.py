"""``python -m emrctl.docs [FOLDER]``."""
import sys

from emrctl.docs import REPO, write

write(sys.argv[1] if len(sys.argv) > 1 else REPO / "docs")
