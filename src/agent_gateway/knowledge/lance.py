"""LanceDB, loaded without the REST client of its cloud: that is half of its import time and 13 MB of memory."""

from __future__ import annotations

import sys
from importlib.util import find_spec, module_from_spec
from typing import Any

#: Generated code, of which LanceDB imports only the subpackage `models`; the package itself loads hundreds of calls.
_CLIENT = "lance_namespace_urllib3_client"


def defer(name: str) -> None:
    """Have a package's own code run when something in it is first asked for; its submodules are imported as usual.

    Nothing happens when the package is loaded already, or is not there.
    """
    spec = None if name in sys.modules else find_spec(name)
    if spec is None or spec.loader is None:
        return
    loader, package = spec.loader, module_from_spec(spec)

    def load(attribute: str) -> Any:
        del package.__dict__["__getattr__"]
        loader.exec_module(package)
        return getattr(package, attribute)

    package.__dict__["__getattr__"] = load
    sys.modules[name] = package


defer(_CLIENT)

import lancedb  # noqa: E402 - after its client was deferred
from lancedb.index import FTS  # noqa: E402 - as above
from lancedb.query import ColumnOrdering  # noqa: E402 - as above
from lancedb.rerankers import RRFReranker  # noqa: E402 - as above

__all__ = ["FTS", "ColumnOrdering", "RRFReranker", "defer", "lancedb"]
