"""Cut-outs: from a mask to soft transparency, without a halo of the old background."""

from edgeflow.matting.cut import cutout

__all__ = ["cutout"]
