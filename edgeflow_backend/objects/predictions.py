"""Which of a task's predictions the annotator begins with.

Measured on Label Studio 1.23.2: a task that holds neither a draft nor an annotation is opened with
a copy of a prediction, whose regions keep their ids. Of several it is the newest of the project's
model version, or the newest of all where none has that version. In the label stream nothing is
copied where the project does not show predictions.
"""

from __future__ import annotations

from edgeflow.label_studio.api.records import Project
from edgeflow.label_studio.values import JSONObject, whole_number
from edgeflow_backend.label_studio.projects import Unknown
from edgeflow_backend.protocol.wire import objects


def copied_prediction(task: JSONObject, project: Project | Unknown) -> JSONObject | None:
    """The prediction that the editor has copied; None if there is none, or it cannot be told.

    Args:
        task: The request's task.
        project: What Label Studio says of its project.
    """
    if objects(task.get("drafts")) or objects(task.get("annotations")):
        return None
    predictions = sorted(
        objects(task.get("predictions")), key=lambda p: whole_number(p.get("id")) or 0
    )
    versions = {str(prediction.get("model_version")) for prediction in predictions}
    if isinstance(project, Unknown):
        return predictions[-1] if len(versions) == 1 else None
    if project.shows_predictions is False:
        return None
    if project.model_version in versions:
        predictions = [
            p for p in predictions if str(p.get("model_version")) == project.model_version
        ]
    return predictions[-1] if predictions else None
