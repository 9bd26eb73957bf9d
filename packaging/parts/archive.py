"""Archives whose bytes depend on their files alone, and the one that is for everybody: keywright-VERSION-TARGET.tar.gz, on Windows .zip."""

from __future__ import annotations

import gzip
import io
import os
import lzma
import tarfile
import zipfile
from datetime import datetime, timezone

from .contents import COMPLETIONS, Contents

# How hard is compressed, 1 to 9. Tests that look into packages and ship none ask for less.
LEVEL = int(os.environ.get("KEYWRIGHT_COMPRESSION", "9"))

# A file of an archive: its bytes, and whether it is a program.
Files = dict[str, tuple[bytes, bool]]


def folders(files: Files) -> list[str]:
    """The folders of all files, outermost first."""
    return sorted({path.rsplit("/", at)[0] for path in files for at in range(1, path.count("/") + 1)})


def tar(files: Files, epoch: int, prefix: str = "") -> bytes:
    """A tar file: sorted, owned by root, everything of one time."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path in [*folders(files), *sorted(files)]:
            entry = tarfile.TarInfo(prefix + path)
            entry.mtime, entry.uname, entry.gname = epoch, "root", "root"
            if path in files:
                data, program = files[path]
                entry.size, entry.mode = len(data), 0o755 if program else 0o644
                archive.addfile(entry, io.BytesIO(data))
            else:
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(entry)
    return out.getvalue()


def gz(data: bytes) -> bytes:
    return gzip.compress(data, compresslevel=LEVEL, mtime=0)


def xz(data: bytes) -> bytes:
    # dpkg checks the sums of its own; CRC32 is what every xz can read.
    return lzma.compress(data, check=lzma.CHECK_CRC32, preset=min(LEVEL, 6))


def zipped(files: Files, epoch: int) -> bytes:
    """A zip file in the order of the files. The earliest time that a zip file can have is 1980."""
    at = datetime.fromtimestamp(max(epoch, 315532800), timezone.utc).timetuple()[:6]
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as archive:
        for path, (data, program) in files.items():
            entry = zipfile.ZipInfo(path, at)
            entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, 3
            entry.external_attr = (0o100755 if program else 0o100644) << 16
            archive.writestr(entry, data)
    return out.getvalue()


def name(contents: Contents) -> str:
    return f"keywright-{contents.crate.version}-{contents.target}"


def archive(contents: Contents) -> tuple[str, bytes]:
    """The archive and its name."""
    inside: Files = {
        contents.program: (contents.bytes, True),
        "LICENSE": (contents.licence, False),
        "THIRD-PARTY-LICENSES.txt": (contents.third_party, False),
        "keywright.cdx.json": (contents.sbom, False),
        "README.md": (contents.readme, False),
        "CHANGELOG.md": (contents.changelog, False),
    }
    inside |= {f"completions/{COMPLETIONS[shell]}": (script, False) for shell, script in contents.completions.items()}
    inside |= {f"man/man1/{page}": (text, False) for page, text in contents.pages.items()}
    files = {f"{name(contents)}/{path}": file for path, file in sorted(inside.items())}
    if contents.binary.system == "windows":
        return f"{name(contents)}.zip", zipped(files, contents.epoch)
    return f"{name(contents)}.tar.gz", gz(tar(files, contents.epoch))
