"""Those who share a backend, a Redis or a network."""

from __future__ import annotations

from tools.guards.guard import Guard, Threat
from tools.guards.threats.places import BACKEND, IMAGES, SHARED

THREATS = (
    Threat(
        "One tenant sees another's data",
        (
            Guard(
                "an image is cached for its Label Studio alone",
                "edgeflow_backend/images/sources.py",
                'return f"{self.host} {self.url}" if self.host else self.url',
                "return self.url",
                (
                    f"{IMAGES}/test_sources.py::test_images_of_different_label_studios_are_never_one_in_the_cache",
                    f"{IMAGES}/test_provider.py::test_what_one_label_studio_may_see_is_not_shown_to_the_other",
                ),
            ),
            Guard(
                "one in cloud storage for its task",
                "edgeflow_backend/images/sources.py",
                'return f"{self.host} {self.label_studio_url} {self.task_id} {self.uri}"',
                'return f"{self.host} {self.label_studio_url} {self.uri}"',
                (f"{IMAGES}/test_sources.py::test_a_cloud_image_is_cached_for_its_task_alone",),
            ),
            Guard(
                "answers are remembered for a task of a project of a Label Studio",
                "edgeflow_backend/requests.py",
                'return f"{self.project.host}|{self.project.id}|{self.task_id}"',
                'return f"{self.project.id}|{self.task_id}"',
                (
                    f"{BACKEND}/test_service.py::test_tasks_alike_of_two_label_studios_share_nothing",
                ),
            ),
            Guard(
                "what lies on disk is read by its owner alone",
                "edgeflow_backend/images/disk_cache.py",
                "self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)",
                "self._folder.mkdir(parents=True, exist_ok=True)",
                (f"{IMAGES}/test_disk_cache.py::test_only_the_owner_may_read_it",),
            ),
            Guard(
                "and not believed if it was altered, or is another's",
                "edgeflow_backend/images/disk_cache.py",
                "if checksum != _checksum(path.name, created, data):",
                "if False:",
                (
                    f"{IMAGES}/test_disk_cache.py::test_no_altered_byte_goes_unnoticed",
                    f"{IMAGES}/test_disk_cache.py::test_a_file_under_another_files_name_is_not_taken_for_it",
                ),
            ),
        ),
    ),
    Threat(
        "Somebody writes to Redis, or listens",
        (
            Guard(
                "a value is the one that was made for its name; with `EDGEFLOW_REDIS_KEY`, by us",
                "edgeflow_backend/shared/sealing.py",
                "if not hmac.compare_digest(found, self._digest(name, body)):",
                "if False:",
                (
                    f"{SHARED}/test_sealing.py::test_a_value_is_refused_under_another_name",
                    f"{SHARED}/test_sealing.py::test_nobody_without_the_secret_makes_a_value",
                    f"{SHARED}/test_tier.py::test_any_changed_byte_in_redis_makes_a_value_none",
                ),
            ),
            Guard(
                "nothing but numbers, texts, masks and maps can come out of one",
                "edgeflow_backend/shared/packing.py",
                "if not least <= value <= most:",
                "if False:",
                (f"{SHARED}/test_packing.py::test_any_bytes_are_read_or_refused",),
            ),
            Guard(
                "a compressed mask takes no more than its image",
                "edgeflow_backend/shared/packing.py",
                "if pixels > self._max_pixels:",
                "if False:",
                (f"{SHARED}/test_packing.py::test_a_mask_larger_than_its_image_is_refused",),
            ),
            Guard(
                "a state of other clicks, or of another image, is not gone on from",
                "edgeflow_backend/shared/states.py",
                "check_state(state, predictor, image.size, clicks[:count], start)",
                "pass",
                (f"{SHARED}/test_states.py::test_a_forged_value_is_counted_and_computed",),
            ),
            Guard(
                "the server's certificate is checked",
                "edgeflow_backend/shared/connection.py",
                """                "ssl_cert_reqs": "required",
                "ssl_check_hostname": True,
""",
                """                "ssl_cert_reqs": "none",
                "ssl_check_hostname": False,
""",
                (f"{SHARED}/test_tier.py::test_tls_is_checked",),
            ),
            Guard(
                "a password is not repeated, in words or in the log",
                "edgeflow_backend/shared/tier.py",
                "self._trouble = reason",
                "self._trouble = str(error)",
                (f"{SHARED}/test_tier.py::test_a_wrong_password_is_told_without_repeating_it",),
            ),
        ),
    ),
    Threat(
        "A stranger in the cluster's network",
        (
            Guard(
                "a door joins no cluster that lets anybody in",
                "edgeflow_backend/cluster/ray_cluster.py",
                "if not allow_open and lets_anybody_in(ray.get_runtime_context().gcs_address):",
                "if False:",
                (
                    f"{BACKEND}/cluster/test_ray_cluster.py::test_a_door_leaves_a_cluster_that_lets_anybody_in_unless_told_to_stay",
                ),
            ),
            Guard(
                "Ray runs no job and no application of those without the token",
                "demo/ray_head.py",
                '"RAY_AUTH_MODE": "token" if token else "disabled",',
                '"RAY_AUTH_MODE": "disabled",',
                (
                    "tests/cluster/test_strangers.py::test_a_job_without_the_token_is_refused_and_never_runs",
                    "tests/cluster/test_strangers.py::test_an_application_without_the_token_is_refused",
                ),
            ),
            Guard(
                "an image's URL is not written where Ray logs calls",
                "edgeflow_backend/cluster/remote.py",
                'return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]',
                "return key",
                (
                    f"{BACKEND}/cluster/test_remote.py::test_all_calls_for_an_image_go_to_one_place_whose_name_may_be_logged",
                ),
            ),
        ),
    ),
)
