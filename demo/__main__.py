"""`python -m demo`, which `make run` calls: Jetway whole, on a laptop."""

import sys

from demo.laptop import main

sys.exit(main())
