"""Packed copies: ``app.js.gz`` beside ``app.js``, which nginx sends to who takes it (gzip_static).

What a repository itself calls ``*.gz`` is kept under a name that no repository can use, and nginx knows: else it would
be sent for the file beside it, whatever is in it, or for one that is not there. No ``.br``: neither Debian's nginx nor
the official images have a module for it.
"""

import os
import re
import zlib
from collections.abc import Collection, Iterable
from pathlib import Path

from syncer.content.tree import File, quoted
from syncer.errors import LimitExceeded
from syncer.volume.records import Entries

# The same kinds as gzip_types in deploy/nginx/sites-server.conf.
_KINDS = re.compile(
    r"html?|css|csv|tsv|m?js|md|markdown|txt|log|conf|vtt|xml|xsd|ics|vcf|adoc|asciidoc|rst|json|map|topojson|jsonld"
    r"|geojson|jsonfeed|webmanifest|schema|ya?ml|toml|atom|rss|rdf|xhtml|xslt?|gpx|kml|wasm|sql|eot|svg|bmp|ico|cur"
    r"|[ot]tf|gltf",
    re.IGNORECASE,
)
_LEAST = 1 << 10  # a packed copy takes a block of the disk, too
_MOST = 8 << 20  # of one file
# Of one release: a second's work, which a push waits for. nginx packs the rest for each visitor until later pushes do.
_BUDGET = 32 << 20
_LEVEL = 6
_GZIP = 31  # zlib's window and gzip's header, which has neither name nor time: the same content is packed alike
_CHUNK = 1 << 18
_OWN = ".own-"
_MAX_NAME_BYTES = 255


def beside(path: str) -> str:
    """Where the packed copy of a file is."""
    return f"{path}.gz"


def is_free(path: str, folders: Collection[str]) -> bool:
    """Whether a packed copy has a place beside a file: a folder may be called so."""
    return beside(path) not in folders


def place(file: File) -> File:
    """The file as it is on the volume. Raises LimitExceeded where its name is too long for that."""
    folder, slash, name = file.path.rpartition("/")
    if not name.endswith(".gz"):
        return file
    if len(name.encode()) + len(_OWN) > _MAX_NAME_BYTES:
        raise LimitExceeded(f"the file name {quoted(name)} is too long for a .gz file; give it a shorter one")
    return file._replace(path=f"{folder}{slash}{_OWN}{name}")


def worth_trying(entries: Entries, folders: Collection[str] = ()) -> list[str]:
    """The paths of what to pack in one release: the smallest first, which are what pages are made of."""
    wanted, left = [], _BUDGET
    candidates = (path for path, entry in entries.items() if entry.packed is None and is_of_a_kind(path))
    for path in sorted(candidates, key=lambda path: (entries[path].size, path)):
        size = entries[path].size
        fits = len(path.rpartition("/")[2].encode()) + 3 <= _MAX_NAME_BYTES and is_free(path, folders)
        if _LEAST <= size <= min(_MOST, left) and fits:
            wanted.append(path)
            left -= size
    return wanted


def is_of_a_kind(path: str) -> bool:
    """Whether packing does such files good."""
    stem, _, extension = path.rpartition("/")[2].rpartition(".")
    return bool(stem) and not stem.startswith(_OWN) and _KINDS.fullmatch(extension) is not None


def pack(folder: Path, entries: Entries, paths: Iterable[str]) -> Entries:
    """Write packed copies beside these files, where they are smaller; return their entries, which say so."""
    return {path: entries[path]._replace(packed=_pack(folder / path, entries[path].mtime)) for path in paths}


def _pack(path: Path, mtime: int) -> int:
    """The size of the packed copy, 0 where it would not be smaller and there is none."""
    content = path.read_bytes()
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    packed = packer.compress(content) + packer.flush()
    if len(packed) >= len(content):
        return 0
    Path(beside(str(path))).unlink(missing_ok=True)  # was linked, while its file was found to be gone
    descriptor = os.open(beside(str(path)), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(packed)
        stream.flush()
        os.fchmod(descriptor, 0o644)
        os.utime(descriptor, (mtime, mtime))
    return len(packed)


def unpacked(descriptor: int, most: int) -> Iterable[bytes]:
    """The content of a packed copy, a little more than ``most`` bytes at most. Raises zlib.error."""
    unpacker = zlib.decompressobj(_GZIP)
    with os.fdopen(descriptor, "rb") as stream:
        while most >= 0 and (chunk := stream.read(_CHUNK)):
            while chunk and most >= 0:
                data = unpacker.decompress(chunk, _CHUNK)
                most -= len(data)
                yield data
                chunk = unpacker.unconsumed_tail
    if not unpacker.eof or unpacker.unused_data:
        raise zlib.error("cut short, or with something behind it")
