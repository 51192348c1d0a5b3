"""`python -m video_understanding` is the program `vu`."""

import sys

from video_understanding.cli.main import main

sys.exit(main())
