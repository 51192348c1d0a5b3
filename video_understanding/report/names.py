"""A report without what names clips and people, to be shown to those who may not see the data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Values = Mapping[str, Any]


def without_names(values: Values) -> dict[str, Any]:
    """The values of `report_page` with subjects as numbers, from the least accurate on, and no clip by name.

    Notes are left out, for they may name clips. Numbers are those of one head: the same subject has others elsewhere.
    """
    heads = {
        head: {**result, "pooled": _bare(result["pooled"])} if "pooled" in result else _bare(result)
        for head, result in values["heads"].items()
    }
    told = {name: value for name, value in values.items() if name != "doubtful_labels"}
    return {**told, "anonymous": True, "notes": [], "heads": heads}


def _bare(found: Values) -> dict[str, Any]:
    bare = {name: value for name, value in found.items() if name != "mistakes"}
    if found.get("subjects"):
        numbered = [{**one, "subject": str(number)} for number, one in enumerate(found["subjects"]["subjects"], 1)]
        bare["subjects"] = {**found["subjects"], "subjects": numbered}
    return bare
