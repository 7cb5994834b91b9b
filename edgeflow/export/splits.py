"""Parts of an export, such as train and val, chosen by the pictures themselves."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from edgeflow.annotated import AnnotatedImage
from edgeflow.errors import EdgeFlowError
from edgeflow.export.names import safe_name

_PART = re.compile(r"([A-Za-z0-9_-]{1,40})=(\d+(?:\.\d+)?)")

RESERVED = frozenset(
    ("path", "names", "nc", "channels", "kpt_shape", "kpt_names", "flip_idx", "download")
)
"""Keys of YOLO's ``data.yaml``, in which parts are keys, too."""


@dataclass(frozen=True)
class Splits:
    """Parts, and their shares of the images.

    Which part an image belongs to depends on its picture alone: it stays there when other images
    come and go, and two images of one picture are in one part.

    Attributes:
        shares: Share of each part, by name, adding up to 1; one empty name for no parts.
    """

    shares: tuple[tuple[str, float], ...] = (("", 1.0),)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parts."""
        return tuple(name for name, _ in self.shares)

    def of(self, image: AnnotatedImage) -> str:
        """The part that an image belongs to.

        By the SHA-256 of its file, or of its pixels where there is no file; of an image that is not
        at hand by its name, which another image may have, too.

        Raises:
            DatasetError: Its picture cannot be read.
        """
        if len(self.shares) == 1:
            return self.shares[0][0]
        if image.picture is None:
            content = image.file_name.encode("utf-8", "surrogatepass")
        else:
            content = image.picture.file() or image.picture.rgb().tobytes()
        place = int.from_bytes(hashlib.sha256(content).digest()[:8], "big") / 2**64
        for name, share in self.shares[:-1]:
            if place < share:
                return name
            place -= share
        return self.shares[-1][0]


def parse_splits(text: str) -> Splits:
    """Parse ``train=80,val=10,test=10``; shares are relative to their sum.

    Raises:
        EdgeFlowError: The text is anything else, or a part cannot have its name in every format and
            on every system.
    """
    if not text:
        return Splits()
    matches = [_PART.fullmatch(part.strip()) for part in text.split(",")]
    parts = [(match[1], float(match[2])) for match in matches if match is not None]
    total = sum(share for _, share in parts)
    if len(parts) < len(matches) or not total or len(dict(parts)) < len(parts):
        raise EdgeFlowError(
            f"{text!r} does not name the parts of an export",
            hint="write names and shares: --splits train=80,val=20",
        )
    folded: set[str] = set()
    for name, _ in parts:
        if name.lower() in folded or name.lower() in RESERVED or safe_name(name) != name:
            raise EdgeFlowError(
                f"a part of an export cannot be called {name!r}",
                hint="choose another name, such as test; case does not tell names apart",
            )
        folded.add(name.lower())
    return Splits(tuple((name, share / total) for name, share in parts))
