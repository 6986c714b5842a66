"""In the images, at the start of every Python (hear_sigterm.pth): number 1 hears SIGTERM before its imports are done.

The kernel keeps a signal from process number 1 as long as that has no handler for it. FastStream's handler comes with
its loop, after two seconds of imports. Until then nothing has begun, so the process ends at once, with 143, as SIGTERM
would end any other process.
"""

import os
import signal

if os.getpid() == 1:
    signal.signal(signal.SIGTERM, lambda *_: os._exit(128 + signal.SIGTERM))
