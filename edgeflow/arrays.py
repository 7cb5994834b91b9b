"""Array types, each written once. Ranges stand where an array is an argument or a result."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

BoolMask = npt.NDArray[np.bool_]
"""H×W."""

ByteMap = npt.NDArray[np.uint8]
"""H×W."""

FloatMap = npt.NDArray[np.float32]
"""H×W."""

FloatArray = npt.NDArray[np.float32]
"""Any shape, such as a network's weights."""

RGBImage = npt.NDArray[np.uint8]
"""H×W×3."""

RGBAImage = npt.NDArray[np.uint8]
"""H×W×4, alpha straight (not premultiplied)."""

Polygon = npt.NDArray[np.float64]
"""N×2 (x, y) in image pixels; see :class:`edgeflow.geometry.ImagePoint`."""
