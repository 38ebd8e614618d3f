"""``python -m emrctl.dist``: the same commands as ``emrctl dist``."""
from emrctl.dist.cli import app

app(prog_name="emrctl dist")
