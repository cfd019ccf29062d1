"""Says as JSON what an executable is: what LIEF reads from its headers, and for macOS whether its
ad-hoc signature holds, by the structures in Apple's cs_blobs.h."""

import hashlib
import json
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "python"))
import lief

SUPER_BLOB, CODE_DIRECTORY = 0xFADE0CC0, 0xFADE0C02
SHA256, AD_HOC = 2, 0x2


def code_directories(blob):
    magic, length, count = struct.unpack_from(">III", blob)
    assert magic == SUPER_BLOB and length <= len(blob), "no signature"
    for n in range(count):
        _, offset = struct.unpack_from(">II", blob, 12 + 8 * n)
        magic, length = struct.unpack_from(">II", blob, offset)
        if magic == CODE_DIRECTORY:
            yield blob[offset : offset + length]


def wrong_pages(data, directory):
    """How many pages do not have the hash that the directory has of them."""
    hashes, _, _, pages, limit = struct.unpack_from(">IIIII", directory, 16)
    size, kind, _, shift = struct.unpack_from(">BBBB", directory, 36)
    assert (size, kind) == (32, SHA256), "not SHA-256"
    assert pages == -(-limit // (1 << shift)), "pages are missing"
    wrong = 0
    for page in range(pages):
        start = page << shift
        found = hashlib.sha256(data[start : min(start + (1 << shift), limit)]).digest()
        wrong += found != directory[hashes + 32 * page : hashes + 32 * (page + 1)]
    return wrong


def signature(data, binary):
    command = binary.code_signature
    start, end = command.data_offset, command.data_offset + command.data_size
    (directory,) = code_directories(data[start:end])
    (flags,) = struct.unpack_from(">I", directory, 12)
    (limit,) = struct.unpack_from(">I", directory, 32)
    return {
        "ad_hoc": bool(flags & AD_HOC),
        "covers_all_before_it": limit == start,
        "is_the_end_of_the_file": end == len(data),
        "wrong_pages": wrong_pages(data, directory),
    }


def minimum(binary):
    command = binary.build_version if binary.has_build_version else binary.version_min
    version = command.minos if binary.has_build_version else command.version
    return ".".join(str(part) for part in version[:2])


def macho(path):
    with open(path, "rb") as opened:
        data = opened.read()
    # LIEF's objects do not keep alive what they are parts of.
    file = lief.MachO.parse(path)
    (binary,) = file
    return {
        "processor": binary.header.cpu_type.name,
        "type": binary.header.file_type.name,
        "position_independent": binary.is_pie,
        "libraries": [library.name for library in binary.libraries],
        "minimum_system": minimum(binary),
        "signature": signature(data, binary),
    }


def pe(path):
    binary = lief.PE.parse(path)
    # LIEF's objects do not keep alive what they are parts of.
    resources = binary.resources_manager
    versions = resources.version
    info = versions[0].string_file_info
    tables = info.children
    texts = tables[0].entries
    return {
        "processor": binary.header.machine.name,
        "type": binary.optional_header.subsystem.name,
        "position_independent": binary.is_pie,
        "libraries": [library.name for library in binary.imports],
        "version": {entry.key: entry.value for entry in texts},
    }


def elf(path):
    binary = lief.ELF.parse(path)
    return {
        "processor": binary.header.machine_type.name,
        "type": binary.header.file_type.name,
        "position_independent": binary.is_pie,
        "libraries": list(binary.libraries),
        "interpreter": binary.has_interpreter,
    }


path = sys.argv[1]
is_format = [lief.is_macho, lief.is_pe, lief.is_elf]
(describe,) = [read for read, fits in zip([macho, pe, elf], is_format) if fits(path)]
print(json.dumps(describe(path)))
