"""Array types, each written once. Shapes and ranges stand where an array is taken or given."""

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
