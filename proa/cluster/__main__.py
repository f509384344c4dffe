"""`python -m proa.cluster NAME`: the supervisor of that cluster. It loads the parts' code once, so that they share it when forked; the
API server's at once, while `proa up` still prepares what that stands on.
"""

import importlib
import os
import signal
import sys

from proa.cluster.parts import MODULES, modules_of_nodes, plan
from proa.cluster.paths import ClusterPaths, home
from proa.cluster.supervisor import SIGNALS, Supervisor


def main(name: str) -> None:
    paths = ClusterPaths(home(), name)
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    temporary = paths.supervisor_pid.with_suffix(".new")
    temporary.write_text(str(os.getpid()))
    temporary.replace(paths.supervisor_pid)
    try:
        for module in MODULES["apiserver"]:
            importlib.import_module(module)
        Supervisor(lambda: plan(paths), paths.state, modules_of_nodes(paths)).run()
    finally:
        paths.supervisor_pid.unlink(missing_ok=True)


if __name__ == "__main__":
    main(sys.argv[1])
