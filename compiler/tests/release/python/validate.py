"""Holds CycloneDX 1.5 from standard input against its schema, by the library of its makers."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "packages"))
try:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator
except ImportError as missing:
    sys.exit(
        f"{missing}: python3 -m pip install --target compiler/tests/release/python/packages"
        " --requirement compiler/tests/release/python/requirements.txt"
    )

wrong = JsonStrictValidator(SchemaVersion.V1_5).validate_str(sys.stdin.read())
sys.exit(str(wrong) if wrong else 0)
