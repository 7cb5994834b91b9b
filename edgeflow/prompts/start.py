"""What an object can begin with besides clicks."""

from __future__ import annotations

from edgeflow.prompts.outline import Outline
from edgeflow.prompts.prior_mask import PriorMask

Start = Outline | PriorMask
