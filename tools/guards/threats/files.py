"""Names that are paths, and weights that run."""

from __future__ import annotations

from tools.guards.guard import Guard, Threat
from tools.guards.threats.places import BACKEND, CONVERT, IMAGES, LIBRARY

THREATS = (
    Threat(
        "A name that is a path",
        (
            Guard(
                "of the kinds of image URLs, http(s) and Label Studio's own are fetched; no file is",
                "edgeflow_backend/images/sources.py",
                "usable = parts.scheme in DEFAULT_PORTS and bool(parts.hostname)",
                "usable = True",
                (f"{IMAGES}/test_sources.py::test_a_url_of_another_kind_is_refused_by_its_kind",),
            ),
            Guard(
                "`/hosts/<name>` is a configured name",
                "edgeflow_backend/web/hosts.py",
                "if g.host and g.host not in settings.label_studio_hosts:",
                "if False:",
                (f"{BACKEND}/test_every_address.py::test_a_host_is_one_of_the_settings",),
            ),
            Guard(
                "a model in a labelling config is one of the manifest's",
                "edgeflow_backend/engine/model_pool.py",
                "if name not in models:",
                "if False:",
                (
                    f"{BACKEND}/engine/test_model_pool.py::test_a_labelling_config_cannot_open_a_file_of_its_choice",
                ),
            ),
            Guard(
                "a manifest names files of its folder",
                "edgeflow/checkpoints/manifest.py",
                "if not is_plain_name(name):",
                "if False:",
                (
                    f"{LIBRARY}/checkpoints/test_manifest.py::test_a_manifest_cannot_point_outside_its_folder",
                ),
            ),
            Guard(
                "an export's files stay in its folder",
                "edgeflow/export/names.py",
                "parts = [safe_name(part) for part in",
                "parts = [part for part in",
                (
                    f"{LIBRARY}/export/test_hostile.py::test_names_of_pictures_stay_in_the_folder_and_apart",
                ),
            ),
            Guard(
                "so do a pull's images",
                "edgeflow/pull/locations.py",
                '_UNWANTED.sub("_", _last_part(location))',
                "location",
                (
                    f"{LIBRARY}/pull/test_locations.py::test_no_location_leaves_the_folder_or_makes_an_odd_name",
                ),
            ),
            Guard(
                "a zip of weights is read in memory, and none of its names leads outside",
                "edgeflow/checkpoints/convert/archive.py",
                'if path.is_absolute() or ".." in path.parts or PureWindowsPath(info.filename).drive:',
                "if False:",
                (
                    f"{CONVERT}/test_convert.py::test_a_zip_that_points_outside_of_itself_is_refused",
                ),
            ),
            Guard(
                "files of the image cache are named by a digest",
                "edgeflow_backend/images/disk_cache.py",
                'name = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()',
                "name = key",
                (
                    f"{IMAGES}/test_disk_cache.py::test_a_file_is_named_after_its_key_and_tells_nothing_of_it",
                ),
            ),
        ),
    ),
    Threat(
        "Weights that run, or are others",
        (
            Guard(
                "only safetensors are loaded",
                "edgeflow/checkpoints/checkpoint.py",
                "if self.path.suffix.lower() != SUFFIX:",
                "if False:",
                (
                    f"{LIBRARY}/checkpoints/test_checkpoint.py::test_a_file_with_another_suffix_is_refused_and_not_executed",
                ),
            ),
            Guard(
                "and only those of the manifest's digest",
                "edgeflow/checkpoints/checkpoint.py",
                "if digest != sha256:",
                "if False:",
                (
                    f"{LIBRARY}/checkpoints/test_checkpoint.py::test_a_flipped_byte_is_refused_with_both_digests",
                ),
            ),
            Guard(
                "a foreign pickle of PyTorch calls nothing",
                "edgeflow/checkpoints/convert/torch_file.py",
                'return type("_Object", (_Placeholder,), {"what": what})',
                "return super().find_class(module, name)",
                (f"{CONVERT}/test_torch_file.py::test_a_foreign_callable_is_not_called",),
            ),
            Guard(
                "nor one of Paddle",
                "edgeflow/checkpoints/convert/paddle_params.py",
                "        except KeyError:\n            raise ConversionError(",
                "        except KeyError:\n            return super().find_class(module, name)\n"
                "            raise ConversionError(",
                (
                    f"{CONVERT}/test_paddle_params.py::test_a_hostile_pickle_is_refused_and_does_not_run",
                ),
            ),
            Guard(
                "a zip of weights is measured before it is unpacked",
                "edgeflow/checkpoints/convert/archive.py",
                "if sum(info.file_size for info in infos) > MAX_BYTES:",
                "if False:",
                (
                    f"{CONVERT}/test_convert.py::test_a_zip_that_would_unpack_to_gigabytes_is_refused",
                ),
            ),
        ),
    ),
)
