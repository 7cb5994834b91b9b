"""What is kept of accepted objects: who may put something in, or read it."""

from __future__ import annotations

from tools.guards.guard import Guard, Threat
from tools.guards.threats.places import LEARNING

THREATS = (
    Threat(
        "Somebody puts in what nobody accepted, or reads what was",
        (
            Guard(
                "where a secret is set, an event without it is refused",
                "edgeflow_backend/web/auth.py",
                'if not self._expected or action == "START_TRAINING":',
                "if True:",
                (
                    f"{LEARNING}/test_learning_app.py::test_an_event_without_the_secret_is_refused_and_not_looked_at",
                ),
            ),
            Guard(
                "a flood of events has Label Studio asked no more often",
                "edgeflow_backend/learning/keeper.py",
                "soon = max(self._clock() + SETTLE_S, self._rested[project])",
                "soon = self._clock() + SETTLE_S",
                (
                    f"{LEARNING}/test_keeper.py::test_a_forged_event_puts_nothing_in_and_asks_label_studio_little",
                ),
            ),
            Guard(
                "what was deleted or changed leaves before anything is read",
                "edgeflow_backend/learning/reconcile.py",
                "if _stamp(heads.get(task)) != stamp}",
                "if False}",
                (
                    f"{LEARNING}/test_reconcile.py::test_a_deletion_counts_even_if_label_studio_goes_down_before_all_is_read",
                    f"{LEARNING}/test_reconcile.py::test_what_is_deleted_changed_or_skipped_leaves",
                ),
            ),
            Guard(
                "an object that has changed on the disk is none",
                "edgeflow_backend/learning/rows.py",
                "if row.digest != _digest(row.facts, row.mask):",
                "if False:",
                (
                    f"{LEARNING}/test_store.py::test_a_row_that_has_changed_is_no_object_and_its_task_is_read_again",
                ),
            ),
            Guard(
                "the backend's user alone reads the store",
                "edgeflow_backend/learning/store.py",
                "self._path.chmod(0o600)",
                "pass",
                (f"{LEARNING}/test_store.py::test_only_the_owner_reads_it",),
            ),
            Guard(
                "an image's URL, which may hold a secret, is not kept",
                "edgeflow_backend/learning/pictures.py",
                'location = hashlib.sha256(source.key.encode("utf-8", "surrogatepass")).hexdigest()',
                "location = source.key",
                (
                    f"{LEARNING}/test_reconcile.py::test_an_accepted_object_is_kept_with_its_clicks_its_mask_and_where_it_is_from",
                ),
            ),
            Guard(
                "a mask of more pixels than an image may have is not drawn",
                "edgeflow_backend/learning/read.py",
                "if size.height * size.width > self.max_pixels:",
                "if False:",
                (
                    f"{LEARNING}/test_reconcile.py::test_a_mask_of_too_many_pixels_is_left_out_before_it_is_drawn",
                ),
            ),
        ),
    ),
)
