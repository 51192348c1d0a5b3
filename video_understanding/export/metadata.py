"""What a TFLite file tells of itself: a ZIP archive behind the network, which unzip reads and runtimes skip."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from typing import Any

from video_understanding.bundle import Bundle

METADATA_FORMAT = 1  # raised when an older reader would misunderstand a newer file
_NO_TIME = (1980, 1, 1, 0, 0, 0)  # a file depends on the model, not on when it was exported


def members(bundle: Bundle, mode: str, network: bytes | None = None) -> dict[str, str]:
    """Name in the archive -> its text: model.json, and the class names of each head with a line for each.

    With the bytes of the `network`, their number and checksum are added, so that damage is noticed before it is run.
    """
    facts, heads = bundle.facts, bundle.labels.heads
    told: dict[str, Any] = {
        "format": METADATA_FORMAT,
        "mode": mode,
        "name": bundle.name,
        "spec": bundle.spec.to_dict(),
        "labels": bundle.labels.to_dict(),
        "temperature": {head: bundle.temperature(head) for head in heads},
        "unknown_below": facts.get("unknown_below", {}),
        "licences": facts.get("licences") or {},
        "created": facts.get("created"),
        "versions": facts.get("versions", {}),
    }
    if network is not None:
        told["network"] = {"bytes": len(network), "crc32": zlib.crc32(network)}
    texts = {"model.json": json.dumps(told, indent=1, ensure_ascii=False) + "\n"}
    return texts | {f"labels_{head}.txt": "\n".join(bundle.labels.names(head)) + "\n" for head in heads}


def with_metadata(network: bytes, bundle: Bundle, mode: str) -> bytes:
    """The network with the archive behind it; the same for the same network and bundle."""
    content = io.BytesIO(network)
    with zipfile.ZipFile(content, "a", zipfile.ZIP_STORED) as archive:
        for name, text in members(bundle, mode, network).items():
            # Labels after folders may hold bytes that are no UTF-8; in JSON, too, escapes can stand for them.
            archive.writestr(zipfile.ZipInfo(name, _NO_TIME), text.encode("utf-8", errors="backslashreplace"))
    return content.getvalue()
