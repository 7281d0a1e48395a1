"""The process in which atheris runs ``protocol.parse``; ``guided`` starts it.

It ends with its last input. Modules that are imported before ``instrument_imports`` are not
instrumented and do not guide the search, so nothing else may be imported here.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["django_fcs"]):
    from .parsing import Parsing

__all__: list[str] = []

_target = Parsing()


def _run_one(data: bytes) -> None:
    _target.feed(data)
    _target.feed(data.decode(errors="surrogateescape"))


if __name__ == "__main__":
    atheris.Setup(sys.argv, _run_one)
    atheris.Fuzz()
