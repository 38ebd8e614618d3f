"""``python -m emrctl``."""
from emrctl.main import main

main()
