"""Run a Python file apart from the machine: `python isolation.py APART FILE [ARGUMENT …]`, APART as JSON.

`cpu_seconds` is the limit that FILE sets itself, `told_in` a descriptor that gets what is in force, as a JSON list, and
in a second line how many processes were left behind. `files`, where it is not null, names what may be read and written
besides the system's own files. What the system does not allow is left out and not told. It imports nothing of Slipway,
and is done before any other code runs.

- `namespaces`: an own network without any device, own shared memory, and own processes: when the first ends, the
  kernel ends the rest.
- `no sockets`: none can be made, of any family, and nothing that leads around that.
- `files`: all other files are out of reach, and so is what other processes hold. The latter also where `files` is null
  and nothing is told: a process of the same user would show the variables of ours otherwise.

Sources: user_namespaces(7), pid_namespaces(7), seccomp(2), landlock(7), capset(2) of the Linux man pages.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import platform
import resource
import runpy
import select
import signal
import struct
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

NAMESPACES, NO_SOCKETS, FILES = "namespaces", "no sockets", "files"
_GRACE = 2.0  # seconds
_MOST_PROCESSES = 4096  # threads count as well, and TensorFlow starts some a core
_NEW_USER, _OTHERS = 0x10000000, 0x40000000 | 0x20000000 | 0x08000000 | 0x00020000  # network, processes, memory, mounts
_SET_NO_NEW_PRIVILEGES, _SET_SECCOMP, _SET_DEATH_SIGNAL, _SET_SUBREAPER = 38, 22, 1, 36
_CAPSET = {"x86_64": 126, "aarch64": 91}
_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# socket, unshare, setns, mount, ptrace, process_vm_readv, process_vm_writev, bpf, perf_event_open, keyctl, add_key,
# request_key, userfaultfd; of all machines: io_uring_setup (it opens sockets), pidfd_getfd (it takes those of others)
_REFUSED = {
    "x86_64": (41, 272, 308, 165, 101, 310, 311, 321, 298, 250, 248, 249, 323, 425, 438),
    "aarch64": (198, 97, 268, 40, 117, 270, 271, 280, 241, 219, 217, 218, 282, 425, 438),
}
_CLONE, _CLONE3 = {"x86_64": 56, "aarch64": 220}, 435
_EPERM, _ENOSYS = 1, 38
_SYSTEM = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/proc", "/sys"),
    *(f"/etc/{name}" for name in ("ld.so.cache", "localtime", "nsswitch.conf", "os-release", "passwd", "group")),
    *("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"),
)
_SHARED_MEMORY = "/dev/shm"  # noqa: S108  # a file system of its own is laid over it
_READ, _OF_FILES = 0b1101, 0b1100000000000111  # execute, read a file, list a folder; what a single file can have
_ALL = 0xFFFF  # of those, what the version at hand knows
_EACH_SINCE = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF, 5: 0xFFFF}  # what Landlock of that version can hold back

_libc = ctypes.CDLL(None, use_errno=True)


def main(apart: dict[str, Any], file: str, arguments: list[str]) -> None:
    """Run FILE in a process below this one, and end as that one ends, when nothing of it is left."""
    told_in = int(apart["told_in"])
    if sys.platform != "linux":
        _tell(told_in, [])
        return _run(file, arguments)
    namespaces = _can(_enter_namespaces)
    if namespaces:
        _enter_namespaces()
    _prctl(_SET_SUBREAPER, 1)  # without namespaces: who lost his parent becomes ours, and is ended with the rest
    status_from, status_to = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(status_from)
        _be_first(apart, file, arguments, status_to, namespaces=namespaces)
    os.close(status_to)
    _wait(child)
    _end_children()
    told = os.read(status_from, 64).split() or [str(int(signal.SIGKILL)).encode(), b"0", b"0"]
    os.write(told_in, b"\n" + told[2])
    return _end_like(int(told[0]), used=float(told[1]), cpu_seconds=apart["cpu_seconds"])


def _can(what: Any) -> bool:
    """Tried in a process that is thrown away, since half of it cannot be undone."""
    child = os.fork()
    if child == 0:
        try:
            what()
            inner = os.fork()
            if inner == 0:
                os._exit(0)
            os._exit(os.waitstatus_to_exitcode(os.waitpid(inner, 0)[1]))
        except OSError:
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0


def _enter_namespaces() -> None:
    user, group = os.geteuid(), os.getegid()
    _checked(_libc.unshare(_NEW_USER | _OTHERS))
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    # Semaphores of Python lie there; without them joblib asks with one thread, whatever it was told.
    _checked(_libc.mount(b"memory", _SHARED_MEMORY.encode(), b"tmpfs", 0, b"size=64m"))


def _be_first(apart: dict[str, Any], file: str, arguments: list[str], status_to: int, *, namespaces: bool) -> None:
    """Be what the kernel takes for the first process: a signal does not end it, so the work is in one below."""
    _prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)
    _prctl(_SET_SUBREAPER, 1)
    worker = os.fork()
    if worker == 0:
        os.close(status_to)
        _tell(int(apart["told_in"]), _give_up_rights(apart["files"], namespaces=namespaces))
        _run(file, arguments)
        sys.exit()
    os.close(int(apart["told_in"]))
    ended, status, used = os.wait4(-1, 0)
    while ended != worker:
        ended, status, used = os.wait4(-1, 0)
    os.write(status_to, f"{status} {used.ru_utime + used.ru_stime} {_left_behind()}".encode())
    os._exit(0)


def _left_behind() -> int:
    """How many processes go on without the one that started them; those of a pool end a moment after it."""
    ends = time.monotonic() + _GRACE
    while time.monotonic() < ends:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.02)
        except ChildProcessError:
            return 0
    return len(_children())


def _children() -> list[str]:
    return Path("/proc/thread-self/children").read_text().split()


def _run(file: str, arguments: list[str]) -> None:
    sys.argv = [file, *arguments]
    runpy.run_path(file, run_name="__main__")


def _tell(told_in: int, in_force: Sequence[str]) -> None:
    os.write(told_in, json.dumps(in_force).encode())
    os.close(told_in)


def _wait(child: int) -> None:
    """Until the child ends, or the one that started us: he holds the other end of stdin and writes nothing."""
    ended = os.pidfd_open(child)
    if ended not in select.select([0, ended], [], [])[0]:
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(ended)


def _end_children() -> None:
    while True:
        try:
            for child in _children():
                os.kill(int(child), signal.SIGKILL)
            os.waitpid(-1, 0)
        except OSError:  # nobody is left
            return


def _end_like(status: int, *, used: float, cpu_seconds: int) -> None:
    """End with the exit code or by the signal of the worker; at the hard limit of CPU comes SIGKILL, as for memory."""
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        os._exit(code)
    ended_by = signal.SIGXCPU if code == -signal.SIGKILL and used >= cpu_seconds else -code
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError):  # SIGKILL has no other way
        signal.signal(ended_by, signal.SIG_DFL)
    os.kill(os.getpid(), ended_by)


def _give_up_rights(files: dict[str, list[str]] | None, *, namespaces: bool) -> list[str]:
    """What holds from here on, for this process and all below it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if namespaces:  # elsewhere all processes of the user count
        resource.setrlimit(resource.RLIMIT_NPROC, (_MOST_PROCESSES, _MOST_PROCESSES))
    with contextlib.suppress(OSError):  # where memory is short, this process ends first
        Path("/proc/self/oom_score_adj").write_text("1000")
    _prctl(_SET_NO_NEW_PRIVILEGES, 1)  # no sudo
    machine = platform.machine()
    if machine in _CAPSET:
        header, none = struct.pack("=Ii", 0x20080522, 0), bytes(24)
        _libc.syscall(_CAPSET[machine], header, none)
    held = {NAMESPACES: namespaces, FILES: _hold_files(files, namespaces=namespaces), NO_SOCKETS: _no_sockets(machine)}
    return [name for name, holds in held.items() if holds]


def _no_sockets(machine: str) -> bool:
    if machine not in _ARCHITECTURES:
        return False
    code = b"".join(_filter(machine))
    buffer = ctypes.create_string_buffer(code)
    program = struct.pack("=HxxxxxxQ", len(code) // 8, ctypes.addressof(buffer))
    return bool(_libc.prctl(_SET_SECCOMP, 2, program, 0, 0) == 0)


def _filter(machine: str) -> list[bytes]:
    """A program of the packet filter over struct seccomp_data: number at 0, architecture at 4, arguments at 16.

    Each refusal is a comparison that jumps over the next instruction, which returns, where it does not hold.
    """
    load, equal, above, any_bit, answer = 0x20, 0x15, 0x35, 0x45, 0x06
    refused, unknown, allowed = 0x00050000 | _EPERM, 0x00050000 | _ENOSYS, 0x7FFF0000
    steps = [(load, 0, 0, 4), (equal, 1, 0, _ARCHITECTURES[machine]), (answer, 0, 0, refused), (load, 0, 0, 0)]
    steps += [(above, 0, 1, 0x40000000), (answer, 0, 0, refused)]  # the numbers of x32
    for number in _REFUSED[machine]:
        steps += [(equal, 0, 1, number), (answer, 0, 0, refused)]
    steps += [(equal, 0, 1, _CLONE3), (answer, 0, 0, unknown)]  # its flags lie in memory; libc then asks for clone
    steps += [(equal, 0, 3, _CLONE[machine]), (load, 0, 0, 16), (any_bit, 0, 1, _NEW_USER), (answer, 0, 0, refused)]
    return [struct.pack("=HBBI", *step) for step in [*steps, (answer, 0, 0, allowed)]]


def _hold_files(files: dict[str, list[str]] | None, *, namespaces: bool) -> bool:
    if files is None:
        _hold({"/": _ALL})
        return False
    own = [_SHARED_MEMORY] if namespaces else []
    readable = dict.fromkeys((*_SYSTEM, sys.prefix, sys.base_prefix, *files["reads"]), _READ)
    return _hold({**readable, **dict.fromkeys(("/dev/null", *files["writes"], *own), _ALL)})


def _hold(allowed: dict[str, int]) -> bool:
    """Whether Landlock holds this process to these rights, a path, and to its own kind of processes."""
    version = _libc.syscall(444, None, 0, 1)
    if version < 1:
        return False
    all_rights = _EACH_SINCE[max(since for since in _EACH_SINCE if since <= version)]
    network, scope = (0b11 if version >= 4 else 0), (0b11 if version >= 6 else 0)
    attributes = struct.pack("=QQQ", all_rights, network, scope)[: 24 if version >= 6 else 16 if version >= 4 else 8]
    rules = _checked(_libc.syscall(444, attributes, ctypes.c_size_t(len(attributes)), 0))
    for path, rights in allowed.items():
        _allow(rules, path, rights & all_rights)
    _checked(_libc.syscall(446, rules, 0))
    os.close(rules)
    return True


def _allow(rules: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:  # not every system has each of them
        return
    mine = rights if Path(path).is_dir() else rights & _OF_FILES
    _checked(_libc.syscall(445, rules, 1, struct.pack("=Qi", mine, place), 0))
    os.close(place)


def _prctl(option: int, value: int) -> None:
    _checked(_libc.prctl(option, value, 0, 0, 0))


def _checked(answer: int) -> int:
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return answer


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), sys.argv[2], sys.argv[3:])
