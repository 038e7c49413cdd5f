"""What tests may mount on this machine."""

import shutil
import subprocess


def can_mount():
    """Whether a process may have mounts of its own: takes root, a kernel that allows it, and a root directory that is
    a mount itself (a plain chroot is none)."""
    unshare = shutil.which("unshare")
    script = "mount -t tmpfs tmpfs /tmp"
    return unshare is not None and subprocess.run([unshare, "-m", "sh", "-c", script], capture_output=True).returncode == 0
