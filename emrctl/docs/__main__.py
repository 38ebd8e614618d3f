"""``python -m emrctl.docs [FOLDER]``."""
import sys

from emrctl.docs import REPO
from emrctl.docs.pages import write

write(sys.argv[1] if len(sys.argv) > 1 else REPO / "docs")
