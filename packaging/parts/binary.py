"""What a binary says of itself: for which system it is, and what it needs there. Packages claim this and nothing else.

ELF, Mach-O and PE are read as far as that takes: https://refspecs.linuxfoundation.org/elf/elf.pdf,
https://github.com/apple-oss-distributions/xnu (EXTERNAL_HEADERS/mach-o/loader.h),
https://learn.microsoft.com/windows/win32/debug/pe-format.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import Path

from . import Refused

# By e_machine, cputype and Machine: how Rust, Debian and wheels call the architecture.
ELF_MACHINES = {62: "x86_64", 183: "aarch64"}
MACHO_MACHINES = {0x01000007: "x86_64", 0x0100000C: "aarch64"}
PE_MACHINES = {0x8664: "x86_64", 0xAA64: "aarch64"}


@dataclass(frozen=True)
class Binary:
    path: Path
    # linux, macos or windows
    system: str
    # x86_64 or aarch64
    machine: str
    # Linux: needs nothing but the kernel.
    static: bool = False
    # Linux: the newest symbols of glibc that it asks for, (2, 34); none when it is static.
    glibc: tuple[int, int] | None = None
    # Linux: the shared libraries that it names.
    libraries: tuple[str, ...] = ()
    # macOS: the oldest release that it runs on, (11, 0).
    macos: tuple[int, int] | None = None


def read(path: Path) -> Binary:
    """Reads the headers of a binary."""
    data = path.read_bytes()
    try:
        if data[:4] == b"\x7fELF":
            return elf(path, data)
        if data[:4] == b"\xcf\xfa\xed\xfe":
            return macho(path, data)
        if data[:2] == b"MZ":
            return pe(path, data)
    except (struct.error, IndexError, KeyError, UnicodeDecodeError) as error:
        raise Refused(f"{path} has headers that cannot be read: {error!r}") from error
    raise Refused(f"{path} is neither ELF nor 64-bit Mach-O nor PE")


def elf(path: Path, data: bytes) -> Binary:
    if data[4:6] != b"\x02\x01":
        raise Refused(f"{path} is not 64-bit little-endian")
    machine = ELF_MACHINES[struct.unpack_from("<H", data, 18)[0]]
    (headers,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    segments = [struct.unpack_from("<IIQQQQ", data, headers + at * size) for at in range(count)]
    # PT_INTERP names the dynamic loader; PT_DYNAMIC lists libraries. A static position-independent binary has the second alone.
    loads = [(address, address + length, offset - address) for kind, _, offset, address, _, length in segments if kind == 1]
    interpreter = any(kind == 3 for kind, *_ in segments)
    dynamic = [(offset, length) for kind, _, offset, _, _, length in segments if kind == 2]
    if not interpreter:
        return Binary(path, "linux", machine, static=True)

    def place(address: int) -> int:
        return next(address + shift for low, high, shift in loads if low <= address < high)

    entries: list[tuple[int, int]] = []
    for offset, length in dynamic:
        for at in range(offset, offset + length, 16):
            tag, value = struct.unpack_from("<qQ", data, at)
            if tag == 0:
                break
            entries.append((tag, value))
    known = dict(entries)
    strings = place(known[5])  # DT_STRTAB

    def text(at: int) -> str:
        return data[strings + at : data.index(b"\0", strings + at)].decode()

    libraries = tuple(sorted(text(value) for tag, value in entries if tag == 1))  # DT_NEEDED
    versions: list[str] = []
    # DT_VERNEED and DT_VERNEEDNUM: the versions of symbols that each library has to have.
    at = place(known[0x6FFFFFFE]) if 0x6FFFFFFE in known else 0
    for _ in range(known.get(0x6FFFFFFF, 0)):
        _, entries_here, _, first, following = struct.unpack_from("<HHIII", data, at)
        one = at + first
        for _ in range(entries_here):
            _, _, _, name, next_one = struct.unpack_from("<IHHII", data, one)
            versions.append(text(name))
            one += next_one
        at += following
    glibc = [tuple(map(int, found.groups())) for v in versions if (found := re.match(r"GLIBC_(\d+)\.(\d+)", v))]
    return Binary(path, "linux", machine, glibc=max(glibc, default=None), libraries=libraries)


def macho(path: Path, data: bytes) -> Binary:
    machine = MACHO_MACHINES[struct.unpack_from("<I", data, 4)[0]]
    (commands,) = struct.unpack_from("<I", data, 16)
    at, oldest = 32, None
    for _ in range(commands):
        command, size = struct.unpack_from("<II", data, at)
        # LC_BUILD_VERSION has the platform first, LC_VERSION_MIN_MACOSX has not.
        if command in (0x32, 0x24):
            (packed,) = struct.unpack_from("<I", data, at + (12 if command == 0x32 else 8))
            oldest = (packed >> 16, packed >> 8 & 0xFF)
        at += size
    if oldest is None:
        raise Refused(f"{path} does not say which macOS it needs")
    return Binary(path, "macos", machine, macos=oldest)


def pe(path: Path, data: bytes) -> Binary:
    (at,) = struct.unpack_from("<I", data, 0x3C)
    if data[at : at + 4] != b"PE\0\0":
        raise Refused(f"{path} is no PE file")
    return Binary(path, "windows", PE_MACHINES[struct.unpack_from("<H", data, at + 4)[0]])
