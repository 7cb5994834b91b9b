"""A training that the backend has started: ``python -m edgeflow_backend.learning.training``.

Its arguments are the Label Studio's name, which may be empty, and the project's id. What happens
goes to the log. It ends, to go on some other time, when it is told to or when the backend is gone.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable

from edgeflow.errors import EdgeFlowError
from edgeflow.learning.adaptation.adapt import Stopped
from edgeflow_backend import log
from edgeflow_backend.learning.order.command import order_tasks
from edgeflow_backend.learning.training.process import give_way, train
from edgeflow_backend.learning.training.turn import BusyError
from edgeflow_backend.protocol.project import ProjectRef
from edgeflow_backend.settings import Settings


def main() -> int:
    """Train; returns the exit status."""
    settings, project = Settings(), ProjectRef(*sys.argv[1:3])
    log.configure(settings.log_level, settings.log_format)
    logger = log.get_logger().bind(project=str(project))
    give_way(settings.learn_threads)
    told, backend = threading.Event(), os.getppid()
    signal.signal(signal.SIGTERM, lambda *_: told.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the backend, which ends us

    def stop() -> bool:
        return told.is_set() or os.getppid() != backend

    try:
        record = train(
            settings, project, say=lambda text: logger.debug("training", step=text), stop=stop
        )
    except Stopped:
        logger.info("training stopped")
        return 0
    except BusyError as error:
        logger.info("not trained", reason=error.message)
        return 0
    except EdgeFlowError as error:
        logger.warning("training failed", reason=error.message, hint=error.hint)
        return 1
    except Exception:
        logger.exception("training failed")
        return 1
    logger.info(
        "trained",
        state=record.state,
        version=record.version,
        seconds=round(record.seconds),
        reason=record.message,
        verdict=record.verdict,
    )
    if settings.learn_order:
        _order(settings, project, stop)
    return 0


def _order(settings: Settings, project: ProjectRef, stop: Callable[[], bool]) -> None:
    """Put the next tasks in the order in which what answers now is least sure of them."""
    logger = log.get_logger().bind(project=str(project))
    try:
        for line in order_tasks(
            settings, project, most=settings.learn_order, apply=True, stop=stop
        ):
            logger.debug("order", step=line)
    except EdgeFlowError as error:
        logger.warning("next tasks not ordered", reason=error.message, hint=error.hint)
    except Exception:
        logger.exception("next tasks not ordered")


if __name__ == "__main__":
    sys.exit(main())
