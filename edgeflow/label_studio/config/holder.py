"""Where a region goes: the control that holds it, and those that carry its labels."""

from __future__ import annotations

from dataclasses import dataclass

from edgeflow.label_studio.config.controls import Control
from edgeflow.label_studio.values import JSONObject


@dataclass(frozen=True)
class Holder:
    """Where a region goes.

    Attributes:
        control: The mask control.
        labels: As stored there.
        carried: The ``Labels`` controls that carry labels where ``control`` has none itself, each
            with its labels as stored.
    """

    control: Control
    labels: tuple[str, ...] = ()
    carried: tuple[tuple[Control, tuple[str, ...]], ...] = ()

    def results(self, region: JSONObject) -> list[JSONObject]:
        """A region with its labels: under its own key, or in further results of the same id.

        Args:
            region: Without labels; changed in place.
        """
        if self.labels:
            region["value"][self.control.region_type] = list(self.labels)
        # With a separate Labels control, one region is two results that share an id and a shape.
        carried = [
            {
                **region,
                "from_name": control.name,
                "type": "labels",
                "value": {**region["value"], "labels": list(labels)},
            }
            for control, labels in self.carried
        ]
        return [region, *carried]
