"""One project's store and what brings it up to date."""

from __future__ import annotations

from typing import Any

from edgeflow.learning.accepted import AcceptedObject
from edgeflow.masks.patch import MaskPatch
from edgeflow_backend.images.locator import Locator
from edgeflow_backend.label_studio.access import authorised_api
from edgeflow_backend.learning.pictures import Pictures
from edgeflow_backend.learning.reconcile import Reconciler, Report
from edgeflow_backend.learning.shelf import Shelf
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.protocol.record import RegionRecord
from edgeflow_backend.settings import Settings
from tests.contract.wire import JSONObject
from tests.unit.edgeflow_backend.examples.studio import PROJECT, SIZE, disk, region

REF = ProjectRef("", str(PROJECT))


def clicked(number: int, label: str = "disk", *, clicks: int = 2, **changes: Any) -> JSONObject:
    """A region on a disk with the record of its clicks, the last of them negative."""
    mask = MaskPatch.of(disk(number))
    box = mask.percent_box
    record = RegionRecord(
        object=f"r{number}",
        model="edgeflow_lite-1",
        clicks=tuple((f"c{n}", 20.0 + n, 30.0, n + 1 < clicks) for n in range(clicks)),
        box=box,
        digest=mask.digest,
        **changes,
    )
    return region(number, label, meta=record.meta())


class Learning:
    """A project's store in a process of its own: a new one knows what the last one wrote."""

    def __init__(self, settings: Settings) -> None:
        self.now = 1_000_000.0
        pictures = Pictures(settings)
        self.shelf = Shelf(settings, pictures)
        self.files = self.shelf.files(REF)
        self.api = authorised_api(settings)
        self.reconciler = Reconciler(
            settings, "", PROJECT, pictures, Locator(settings), lambda: self.now
        )

    def reconcile(self, **options: Any) -> Report:
        return self.reconciler.reconcile(self.api, self.files, **options)

    @property
    def objects(self) -> list[AcceptedObject]:
        return self.files.store.objects()

    @property
    def ids(self) -> list[str]:
        return [each.id for each in self.objects]


__all__ = ["REF", "SIZE", "Learning", "clicked"]
