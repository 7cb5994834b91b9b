from __future__ import annotations

from collections.abc import Callable

import pytest

from edgeflow.label_studio.config.label_config import parse_label_config
from edgeflow.learning.order.certainty import Sizes
from edgeflow_backend.errors import FetchError
from edgeflow_backend.learning.order.looking import Looker, usual_sizes
from edgeflow_backend.service import SegmentationService
from edgeflow_backend.settings import Settings
from tests.unit.edgeflow_backend.examples.studio import CONFIG, sheet
from tests.unit.edgeflow_backend.learning.learning import REF
from tests.unit.edgeflow_backend.learning.training.projects import label


def test_an_image_is_opened_summed_up_and_clicked_on(
    learning_settings: Callable[..., Settings], service: SegmentationService
) -> None:
    settings = learning_settings()
    looker = Looker(settings, REF, parse_label_config(CONFIG), service.segmenter)
    looked = looker.look(7, {"image": sheet()}, clicks=True)
    assert looked.sure is not None
    assert 0 <= looked.sure <= 1
    assert looked.summary is not None
    again = looker.look(7, {"image": sheet()}, clicks=False)
    assert again.sure is None
    assert again.summary is not None
    assert (again.summary == looked.summary).all()
    with pytest.raises(FetchError):
        looker.look(8, {"image": ""}, clicks=True)


def test_sizes_are_those_of_accepted_objects(
    learning_settings: Callable[..., Settings],
) -> None:
    settings = learning_settings()
    assert usual_sizes(settings, REF) is None
    shares = [float(each.mask.mask().mean()) for each in label(settings, 12)]
    assert usual_sizes(settings, REF) == Sizes.of(shares)
    assert len({*shares}) > 1
