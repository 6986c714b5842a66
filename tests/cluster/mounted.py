"""The services' secrets as the chart mounts them: a file in the pod, a key of a Secret."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass

from deploy.cluster.installation import FULL_NAME, RELEASE
from tests.cluster.kube import kubectl
from tests.cluster.pods import Pod

FOLDER = "/run/secrets/booking-system"
"""The chart's `secrets-folder`."""


@dataclass(frozen=True)
class Mounted:
    """One secret: the file's name, and where its text is."""

    file: str
    secret: str
    key: str

    def text(self) -> str:
        """As the Secret has it now."""
        found = json.loads(kubectl("get", "secret", self.secret, "-o", "json"))
        return base64.b64decode(found["data"][self.key]).decode()

    def put(self, text: str) -> None:
        """Change it, and have the kubelets look at once: by themselves they look at a pod's Secrets within a minute or
        two, and whenever the pod changes."""
        kubectl("patch", "secret", self.secret, "--type=merge", "-p", json.dumps({"stringData": {self.key: text}}))
        of_ours = f"app.kubernetes.io/instance={RELEASE}"
        kubectl("annotate", "pods", "-l", of_ours, "--overwrite", f"booking-system/looked={time.time()}")

    def in_pod(self, pod: Pod) -> str:
        """As the pod sees it."""
        return kubectl("exec", pod.name, "--", "python", "-c", f"print(open('{FOLDER}/{self.file}').read(), end='')")


def mounted(service: str, file: str) -> Mounted:
    """The secret that a service's pods have as a file of this name."""
    found = json.loads(kubectl("get", "deployment", f"{FULL_NAME}-{service}", "-o", "json"))
    volumes = found["spec"]["template"]["spec"]["volumes"]
    (source,) = (
        (source["secret"]["name"], item["key"])
        for volume in volumes
        for source in volume.get("projected", {}).get("sources", ())
        for item in source["secret"]["items"]
        if item["path"] == file
    )
    return Mounted(file, *source)
