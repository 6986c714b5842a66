"""`python -m services.operations.probe ready`: asks the service in this container how it is.

For health checks of images that have neither a shell nor curl. The questions: live, ready, startup, serving (health).
"""

from __future__ import annotations

import http.client
import os
import sys

TIMEOUT_SECONDS = 2.0


def main(question: str) -> int:
    """0 where all is well, else 1; standard output has the answer. HTTP_PORT says where to ask."""
    port = int(os.environ.get("HTTP_PORT", "8080"))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", f"/health/{question}")
        answer = connection.getresponse()
        sys.stdout.write(answer.read().decode() + "\n")
    except (OSError, http.client.HTTPException) as error:
        sys.stdout.write(f"no answer on port {port}: {error!r}\n")
        return 1
    return 0 if answer.status == 200 else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
