import sys
from tests.bench import domain
domain.run("--profile" in sys.argv)
