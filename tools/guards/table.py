"""The threats, and the guards against each."""

from __future__ import annotations

from tools.guards.guard import Guard, Threat

_BACKEND = "tests/unit/edgeflow_backend"
_LIBRARY = "tests/unit/edgeflow"
_NET = f"{_BACKEND}/net"
_IMAGES = f"{_BACKEND}/images"
_DECODING = f"{_IMAGES}/decoding"
_SERVER = f"{_BACKEND}/server"
_SHARED = f"{_BACKEND}/shared"
_STUDIO = f"{_LIBRARY}/label_studio"
_CONVERT = f"{_LIBRARY}/checkpoints/convert"

THREATS = (
    Threat(
        "A task's image URL leads inside (SSRF)",
        (
            Guard(
                "only public IPs are connected to, however they are spelled",
                "edgeflow_backend/net/guard.py",
                "return is_public(parsed) or self._allowed.permits(_name(host), port, parsed)",
                "return True",
                (
                    f"{_NET}/test_hostile_urls.py::test_an_ip_that_is_not_public_is_never_connected_to",
                    f"{_NET}/test_hostile_urls.py::test_a_disguise_leads_nowhere",
                    f"{_NET}/test_hostile_urls.py::test_a_redirect_inside_is_refused",
                    f"{_NET}/test_hostile_urls.py::test_a_chain_of_redirects_is_checked_at_every_hop",
                ),
            ),
            Guard(
                "an IPv4 inside an IPv6 is judged by itself",
                "edgeflow_backend/net/public_ips.py",
                "return mapped or ip",
                "return ip",
                (
                    f"{_NET}/test_public_ips.py::test_an_ipv4_inside_an_ipv6_one_is_judged_by_itself",
                ),
            ),
            Guard(
                "a cloud's credentials are not public",
                "edgeflow_backend/net/public_ips.py",
                '"169.254.0.0/16",  #',
                "#",
                (f"{_NET}/test_public_ips.py::test_any_other_ip_is_not_public",),
            ),
            Guard(
                "the IP that was checked is the one that is connected to (DNS rebinding)",
                "edgeflow_backend/net/connect.py",
                "return _open(info, timeout_s(), options)",
                "return socket.create_connection((host, port), timeout_s())",
                (
                    f"{_NET}/test_connect.py::test_a_name_that_turns_private_after_the_check_gains_nothing",
                ),
            ),
            Guard(
                "of a name's several IPs each is checked",
                "edgeflow_backend/net/connect.py",
                "if permits(str(info[4][0]))]",
                "]",
                (f"{_NET}/test_connect.py::test_of_several_ips_only_the_permitted_ones_are_tried",),
            ),
            Guard(
                "a proxy is not asked for what is inside",
                "edgeflow_backend/net/sessions.py",
                "if not any(self._guard.permits(scheme, host, port, text) for text in texts):",
                "if not texts:",
                (
                    f"{_NET}/test_proxy.py::test_a_private_host_is_refused_before_the_proxy_is_asked",
                ),
            ),
            Guard(
                "redirects are few",
                "edgeflow_backend/images/download.py",
                "for _ in range(MAX_REDIRECTS + 2):",
                "for _ in range(100 * MAX_REDIRECTS):",
                (f"{_IMAGES}/test_download.py::test_too_many_redirects_are_refused",),
            ),
            Guard(
                "Label Studio's word for its public URL moves no image elsewhere",
                "edgeflow_backend/net/public_url.py",
                "if not path.startswith(self.prefix) or not _FILES.match(path.removeprefix(self.prefix)):",
                "if not path.startswith(self.prefix):",
                (
                    "tests/contract/test_hosts.py::test_an_image_elsewhere_is_not_asked_of_label_studio",
                ),
            ),
        ),
    ),
    Threat(
        "A token leaves, by a request or in writing",
        (
            Guard(
                "Label Studio's token goes to its own origin only, at every redirect",
                "edgeflow_backend/images/download.py",
                'trail.on_label_studio = self._is_label_studio(request.url or "")',
                "trail.on_label_studio = self._label_studio is not None",
                (
                    f"{_IMAGES}/test_download.py::test_the_token_is_dropped_on_a_redirect_to_another_origin",
                    f"{_IMAGES}/test_download.py::test_the_token_is_not_sent_to_another_port_of_the_same_machine",
                    f"{_IMAGES}/test_download.py::test_the_token_is_not_sent_where_programs_disagree_on_a_urls_host",
                ),
            ),
            Guard(
                "with several Label Studios, each has its own token",
                "edgeflow_backend/images/provider.py",
                "self._downloaders[source.host].fetch(source.url)",
                'self._downloaders[""].fetch(source.url)',
                (
                    f"{_IMAGES}/test_provider.py::test_each_label_studio_is_asked_for_its_own_images_with_its_own_token",
                ),
            ),
            Guard(
                "passwords and proxies of the environment are not used, nor cookies kept",
                "edgeflow/label_studio/api/transport.py",
                "session.trust_env = False",
                "session.trust_env = True",
                (f"{_IMAGES}/test_download.py::test_passwords_of_a_netrc_file_are_not_sent",),
            ),
            Guard(
                "a URL is written without login, path, query and fragment",
                "edgeflow_backend/redact/urls.py",
                "    if not parts.scheme or not parts.host:\n        return otherwise\n",
                "    return url\n",
                (
                    f"{_BACKEND}/redact/test_urls.py::test_a_url_is_named_without_what_may_be_secret",
                    "tests/contract/test_secrets.py::test_of_an_images_url",
                ),
            ),
            Guard(
                "whatever is logged has what looks like a secret taken out",
                "edgeflow_backend/log.py",
                "key: hide_secrets(value[:MAX_TEXT]) if",
                "key: value if",
                (
                    f"{_BACKEND}/test_log.py::test_what_looks_like_a_secret_is_taken_out_of_every_text",
                ),
            ),
            Guard(
                "whatever is shown has, too",
                "edgeflow_backend/redact/texts.py",
                "    text = hide_secrets(text)\n",
                "",
                (
                    f"{_BACKEND}/redact/test_texts.py::test_cleaning_takes_out_secrets_and_what_does_not_print",
                ),
            ),
            Guard(
                "the processes that open strangers' images know no token",
                "edgeflow_backend/settings.py",
                "for name, value in os.environ.items() if not name.startswith(own)",
                "for name, value in os.environ.items()",
                (f"{_DECODING}/test_decoder.py::test_a_child_sees_no_token",),
            ),
        ),
    ),
    Threat(
        "An image that is a bomb",
        (
            Guard(
                "pixels are counted in the header",
                "edgeflow/images/formats.py",
                "if width * height > max_pixels:",
                "if False:",
                (f"{_DECODING}/test_headers.py::test_sides_and_pixels_are_limited",),
            ),
            Guard(
                "so are scans, chunks, blocks and directories",
                "edgeflow_backend/images/decoding/headers.py",
                "if count > MAX_PARTS[what]:",
                "if False:",
                (f"{_DECODING}/test_headers.py::test_too_many_parts_are_refused",),
            ),
            Guard(
                "a decoder has a limit of memory",
                "edgeflow_backend/images/decoding/child.py",
                "resource.setrlimit(resource.RLIMIT_AS, (limit if hard < 0 else min(limit, hard), hard))",
                "pass",
                (
                    f"{_DECODING}/test_decoder.py::test_an_image_that_takes_too_much_memory_is_refused",
                ),
            ),
            Guard(
                "and a limit of time",
                "edgeflow_backend/images/decoding/child.py",
                "signal.setitimer(signal.ITIMER_REAL, timeout_s)",
                "pass",
                (f"{_DECODING}/test_decoder.py::test_an_image_that_takes_too_long_is_ended",),
            ),
            Guard(
                "all decoders together have a limit of memory",
                "edgeflow_backend/images/decoding/budget.py",
                "and nbytes <= self._bytes",
                "",
                (f"{_DECODING}/test_budget.py::test_no_more_than_the_budget_is_held_at_once",),
            ),
            Guard(
                "a compressed answer of a host is unpacked piece by piece, up to the limit",
                "edgeflow_backend/images/download.py",
                "while chunk := response.raw.read1(CHUNK_BYTES, decode_content=True):",
                "for chunk in [response.raw.read(decode_content=True)]:",
                (f"{_IMAGES}/test_download.py::test_a_bomb_is_refused_before_it_fills_the_memory",),
            ),
            Guard(
                "an inline image is measured",
                "edgeflow_backend/images/sources.py",
                "if len(data) > max_bytes:",
                "if False:",
                (
                    f"{_IMAGES}/test_sources.py::test_an_oversized_inline_image_is_refused_with_the_setting",
                ),
            ),
            Guard(
                "only formats of a list are opened: one of Pillow's runs another program",
                "edgeflow/label_studio/bitmask_png.py",
                'formats=("PNG",)',
                "formats=None",
                (
                    f"{_BACKEND}/objects/test_task_regions.py::test_a_bitmask_is_a_png_whatever_it_says",
                ),
            ),
        ),
    ),
    Threat(
        "A request that is a bomb",
        (
            Guard(
                "a body is measured before it is read",
                "edgeflow_backend/server/parser.py",
                "if head.length > self._limit:",
                "if False:",
                (
                    f"{_SERVER}/test_parser.py::test_a_malformed_request_is_refused_as_soon_as_that_shows",
                ),
            ),
            Guard(
                "and while it comes in chunks",
                "edgeflow_backend/server/chunks.py",
                "if size > self._room:",
                "if False:",
                (
                    f"{_SERVER}/test_parser.py::test_a_malformed_request_is_refused_as_soon_as_that_shows",
                ),
            ),
            Guard(
                "all bodies together are bounded",
                "edgeflow_backend/server/server.py",
                "if excess <= 0:\n            return\n        coming",
                "if excess > 0:\n            return\n        coming",
                (f"{_SERVER}/test_server.py::test_the_bytes_of_all_bodies_are_bounded",),
            ),
            Guard(
                "JSON is nested 254 levels deep at most",
                "edgeflow_backend/protocol/body.py",
                "orjson.dumps(body)",
                "pass",
                (f"{_BACKEND}/protocol/test_body.py::test_what_is_nested_deeper_is_refused",),
            ),
            Guard(
                "XML has no entities",
                "edgeflow/label_studio/config/tags.py",
                "from defusedxml.ElementTree import fromstring",
                "from xml.etree.ElementTree import fromstring",
                (f"{_STUDIO}/config/test_tags.py::test_entities_of_any_kind_are_refused",),
            ),
            Guard(
                "a labelling config is measured",
                "edgeflow/label_studio/config/tags.py",
                "if len(xml) > MAX_LENGTH:",
                "if False:",
                (
                    f"{_STUDIO}/config/test_tags.py::test_a_config_far_larger_than_any_real_one_is_refused_at_once",
                ),
            ),
            Guard(
                "and its depth",
                "edgeflow/label_studio/config/tags.py",
                "if depth == 0:",
                "if False:",
                (f"{_STUDIO}/config/test_tags.py::test_tags_inside_each_other_are_limited",),
            ),
            Guard(
                "and what its repeaters make of it",
                "edgeflow/label_studio/config/repeater.py",
                "self._left = MAX_TAGS",
                "self._left = 10**12",
                (f"{_STUDIO}/config/test_repeater.py::test_too_many_copies_are_refused",),
            ),
            Guard(
                "brush RLE fills its image and no more",
                "edgeflow/label_studio/brush_rle.py",
                "if done > total:",
                "if False:",
                (f"{_STUDIO}/test_brush_rle.py::test_a_run_over_the_end_is_refused",),
            ),
            Guard(
                "and is a list: a number would stand for as many bytes",
                "edgeflow/label_studio/region_masks.py",
                "if rle is not None and not isinstance(rle, list):",
                "if False:",
                (
                    f"{_STUDIO}/test_region_masks.py::test_a_brush_code_is_a_list_whatever_bytes_would_make_of_it",
                ),
            ),
            Guard(
                "a mask much larger than its image is not decoded",
                "edgeflow_backend/objects/task_regions.py",
                "if size.height * size.width > image_size.height * image_size.width * _TOO_LARGE:",
                "if False:",
                (
                    f"{_BACKEND}/objects/test_task_regions.py::test_a_mask_much_larger_than_its_image_is_not_decoded",
                ),
            ),
            Guard(
                "a bitmask has its image's size before it is decoded",
                "edgeflow/label_studio/bitmask_png.py",
                "if (image.height, image.width) == size else None",
                "",
                (
                    f"{_STUDIO}/test_region_masks.py::test_a_bitmask_of_another_size_or_format_is_refused",
                ),
            ),
            Guard(
                "strokes of a draft take seconds to draw at most",
                "edgeflow/label_studio/touches.py",
                "if work > MAX_WORK:",
                "if False:",
                (
                    f"{_STUDIO}/test_region_masks.py::test_strokes_that_would_take_minutes_to_draw_are_refused_at_once",
                ),
            ),
            Guard(
                "a polygon's points are counted",
                "edgeflow/masks/rasterize.py",
                "if len(corners) > MAX_POINTS:",
                "if False:",
                (
                    f"{_LIBRARY}/masks/test_polygons.py::test_polygons_that_cannot_be_filled_are_refused",
                ),
            ),
            Guard(
                "and the pixel rows that they cross",
                "edgeflow/masks/rasterize.py",
                "if total > MAX_CROSSINGS:",
                "if False:",
                (
                    f"{_LIBRARY}/masks/test_polygons.py::test_polygons_that_cannot_be_filled_are_refused",
                ),
            ),
            Guard(
                "so are a prompt's clicks",
                "edgeflow_backend/protocol/prompts.py",
                "if len(regions) > max_clicks:",
                "if False:",
                (
                    f"{_BACKEND}/protocol/test_prompts.py::test_too_many_clicks_are_refused_with_the_setting_that_allows_more",
                ),
            ),
            Guard(
                "COCO's codes fill their image and no more",
                "edgeflow/data/coco_masks.py",
                "if (counts < 0).any() or (counts > total).any() or counts.sum() != total:",
                "if False:",
                (f"{_LIBRARY}/data/test_coco_masks.py::test_other_segmentations_are_refused",),
            ),
        ),
    ),
    Threat(
        "A name that is a path",
        (
            Guard(
                "of the kinds of image URLs, http(s) and Label Studio's own are fetched; no file is",
                "edgeflow_backend/images/sources.py",
                "usable = parts.scheme in DEFAULT_PORTS and bool(parts.hostname)",
                "usable = True",
                (f"{_IMAGES}/test_sources.py::test_a_url_of_another_kind_is_refused_by_its_kind",),
            ),
            Guard(
                "`/hosts/<name>` is a configured name",
                "edgeflow_backend/web/hosts.py",
                "if g.host and g.host not in settings.label_studio_hosts:",
                "if False:",
                (f"{_BACKEND}/test_every_address.py::test_a_host_is_one_of_the_settings",),
            ),
            Guard(
                "a model in a labelling config is one of the manifest's",
                "edgeflow_backend/engine/model_pool.py",
                "if name not in models:",
                "if False:",
                (
                    f"{_BACKEND}/engine/test_model_pool.py::test_a_labelling_config_cannot_open_a_file_of_its_choice",
                ),
            ),
            Guard(
                "a manifest names files of its folder",
                "edgeflow/checkpoints/manifest.py",
                "if not is_plain_name(name):",
                "if False:",
                (
                    f"{_LIBRARY}/checkpoints/test_manifest.py::test_a_manifest_cannot_point_outside_its_folder",
                ),
            ),
            Guard(
                "an export's files stay in its folder",
                "edgeflow/export/names.py",
                "parts = [safe_name(part) for part in",
                "parts = [part for part in",
                (
                    f"{_LIBRARY}/export/test_hostile.py::test_names_of_pictures_stay_in_the_folder_and_apart",
                ),
            ),
            Guard(
                "so do a pull's images",
                "edgeflow/pull/locations.py",
                '_UNWANTED.sub("_", _last_part(location))',
                "location",
                (
                    f"{_LIBRARY}/pull/test_locations.py::test_no_location_leaves_the_folder_or_makes_an_odd_name",
                ),
            ),
            Guard(
                "a zip of weights is read in memory, and none of its names leads outside",
                "edgeflow/checkpoints/convert/archive.py",
                'if path.is_absolute() or ".." in path.parts or PureWindowsPath(info.filename).drive:',
                "if False:",
                (
                    f"{_CONVERT}/test_convert.py::test_a_zip_that_points_outside_of_itself_is_refused",
                ),
            ),
            Guard(
                "files of the image cache are named by a digest",
                "edgeflow_backend/images/disk_cache.py",
                'name = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()',
                "name = key",
                (
                    f"{_IMAGES}/test_disk_cache.py::test_a_file_is_named_after_its_key_and_tells_nothing_of_it",
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
                    f"{_LIBRARY}/checkpoints/test_checkpoint.py::test_a_file_with_another_suffix_is_refused_and_not_executed",
                ),
            ),
            Guard(
                "and only those of the manifest's digest",
                "edgeflow/checkpoints/checkpoint.py",
                "if digest != self.entry.sha256:",
                "if False:",
                (
                    f"{_LIBRARY}/checkpoints/test_checkpoint.py::test_a_flipped_byte_is_refused_with_both_digests",
                ),
            ),
            Guard(
                "a foreign pickle of PyTorch calls nothing",
                "edgeflow/checkpoints/convert/torch_file.py",
                'return type("_Object", (_Placeholder,), {"what": what})',
                "return super().find_class(module, name)",
                (f"{_CONVERT}/test_torch_file.py::test_a_foreign_callable_is_not_called",),
            ),
            Guard(
                "nor one of Paddle",
                "edgeflow/checkpoints/convert/paddle_params.py",
                "        except KeyError:\n            raise ConversionError(",
                "        except KeyError:\n            return super().find_class(module, name)\n"
                "            raise ConversionError(",
                (
                    f"{_CONVERT}/test_paddle_params.py::test_a_hostile_pickle_is_refused_and_does_not_run",
                ),
            ),
            Guard(
                "a zip of weights is measured before it is unpacked",
                "edgeflow/checkpoints/convert/archive.py",
                "if sum(info.file_size for info in infos) > MAX_BYTES:",
                "if False:",
                (
                    f"{_CONVERT}/test_convert.py::test_a_zip_that_would_unpack_to_gigabytes_is_refused",
                ),
            ),
        ),
    ),
    Threat(
        "Somebody without the password",
        (
            Guard(
                "every address but `/health` wants it, of any method, known or not",
                "edgeflow_backend/app.py",
                'if request.endpoint == "backend.health" or auth.allows(authorization):',
                "if request.endpoint is None or auth.allows(authorization):",
                (
                    f"{_BACKEND}/test_every_address.py::test_without_the_password_all_addresses_give_one_answer",
                ),
            ),
            Guard(
                "it is compared in constant time and as a whole",
                "edgeflow_backend/web/auth.py",
                "return hmac.compare_digest(credentials, self._expected)",
                "return credentials.startswith(self._expected)",
                (f"{_BACKEND}/web/test_auth.py::test_a_wrong_user_or_password_may_not_pass",),
            ),
            Guard(
                "a malformed header is none",
                "edgeflow_backend/web/auth.py",
                "data = base64.b64decode(code.strip(), validate=True)",
                "data = base64.b64decode(code.strip() + '===')",
                (
                    f"{_BACKEND}/web/test_auth.py::test_a_malformed_header_as_the_server_reads_it_may_not_pass",
                ),
            ),
            Guard(
                "a forged event changes nothing but what `/status` says, and asks Label Studio little",
                "edgeflow_backend/label_studio/projects.py",
                " and self._waiting < MAX_WAITING",
                "",
                (
                    f"{_BACKEND}/label_studio/test_projects.py::test_a_flood_of_projects_is_not_asked_for",
                ),
            ),
            Guard(
                "names that anybody may send make no new metrics",
                "edgeflow_backend/status/metrics.py",
                'action if action in KNOWN_ACTIONS else "other"',
                "action",
                (f"{_BACKEND}/test_app.py::test_metrics_stay_bounded_whatever_is_asked",),
            ),
        ),
    ),
    Threat(
        "A page in somebody's browser (CSRF, DNS rebinding, XSS)",
        (
            Guard(
                "what comes from a page may read at most",
                "edgeflow_backend/web/auth.py",
                'return origin is not None and method not in ("GET", "HEAD", "OPTIONS")',
                "return False",
                (f"{_BACKEND}/test_every_address.py::test_a_page_in_a_browser_changes_nothing",),
            ),
            Guard(
                "every text on `/status` is escaped",
                "edgeflow_backend/status/page.py",
                "Environment(autoescape=True",
                "Environment(autoescape=False",
                (
                    f"{_BACKEND}/status/test_page.py::test_no_request_puts_markup_into_the_page",
                    f"{_BACKEND}/status/test_page.py::test_every_single_value_is_escaped",
                ),
            ),
            Guard(
                "and the page may run nothing, nor be framed",
                "edgeflow_backend/app.py",
                "        response.headers.update(HEADERS)\n",
                "",
                (
                    f"{_BACKEND}/test_app.py::test_both_forms_of_the_status_page_say_the_same_under_safe_headers",
                ),
            ),
            Guard(
                "a command to copy from there holds nothing that a request brought",
                "edgeflow_backend/status/export_command.py",
                "if not _NUMBER.fullmatch(number):",
                "if False:",
                (
                    f"{_BACKEND}/status/test_export_command.py::test_a_project_without_a_number_has_none",
                ),
            ),
            Guard(
                "paths are not put right by a redirect to a host that the client names",
                "edgeflow_backend/app.py",
                "app.url_map.merge_slashes = False",
                "app.url_map.merge_slashes = True",
                (f"{_BACKEND}/test_app.py::test_an_unknown_route_gets_a_404_in_json",),
            ),
        ),
    ),
    Threat(
        "Requests that two servers understand differently (smuggling), and clients that hold on",
        (
            Guard(
                "a body has one length",
                "edgeflow_backend/server/head.py",
                '        if length is not None:\n            raise bad_request("the request has both',
                '        if False:\n            raise bad_request("the request has both',
                (
                    f"{_SERVER}/test_head.py::test_a_length_that_two_servers_could_read_differently_is_refused",
                    "tests/contract/test_raw_sockets.py::test_a_malformed_request_gets_an_error_in_json_and_the_connection_ends",
                ),
            ),
            Guard(
                "and says it once; so do a host and a password",
                "edgeflow_backend/server/head.py",
                "if name in fields and name in SINGLE:",
                "if False:",
                (f"{_SERVER}/test_head.py::test_of_a_field_that_is_alone_a_second_one_is_refused",),
            ),
            Guard(
                "lines end as the standard has it",
                "edgeflow_backend/server/parser.py",
                "if BARE_LINE_FEED.search(kept, max(0, before - skipped - 1)):",
                "if False:",
                (
                    f"{_SERVER}/test_parser.py::test_a_malformed_request_is_refused_as_soon_as_that_shows",
                ),
            ),
            Guard(
                "a head is measured",
                "edgeflow_backend/server/parser.py",
                "if len(kept) > MAX_HEAD:",
                "if False:",
                (
                    f"{_SERVER}/test_parser.py::test_a_malformed_request_is_refused_as_soon_as_that_shows",
                ),
            ),
            Guard(
                "so is a chunk's line",
                "edgeflow_backend/server/chunks.py",
                "if len(self._line) > MAX_LINE:",
                "if False:",
                (
                    f"{_SERVER}/test_parser.py::test_a_malformed_request_is_refused_as_soon_as_that_shows",
                ),
            ),
            Guard(
                "a field with an underscore is not taken for another",
                "edgeflow_backend/server/head.py",
                "continue  # indistinguishable",
                "pass  # indistinguishable",
                (f"{_SERVER}/test_head.py::test_a_field_with_an_underscore_is_left_out",),
            ),
            Guard(
                "a head must come in ten seconds",
                "edgeflow_backend/server/channel.py",
                "else self.since + HEAD_S",
                "else self.since + 10**6",
                (f"{_SERVER}/test_server.py::test_a_late_client_is_sent_away",),
            ),
            Guard(
                "a host's answer must be whole in time, however it drips",
                "edgeflow_backend/net/sessions.py",
                "watched.shutdown(socket.SHUT_RDWR)",
                "pass",
                (f"{_NET}/test_sessions.py::test_a_handshake_that_drips_is_cut_off_in_time",),
            ),
        ),
    ),
    Threat(
        "Text that forges a line of the log",
        (
            Guard(
                "control characters are spelt out on the console",
                "edgeflow_backend/log.py",
                ".sub(_spelt, value)",
                '.sub("\\\\g<0>", value)',
                (
                    f"{_BACKEND}/test_log.py::test_no_text_begins_a_line_of_its_own_or_drives_a_terminal",
                ),
            ),
            Guard(
                "and taken out of what `/status` and answers say",
                "edgeflow_backend/redact/texts.py",
                'x if x.isprintable() or x in _JOINERS else "�" for x in text',
                "x for x in text",
                (
                    f"{_BACKEND}/redact/test_texts.py::test_cleaning_takes_out_secrets_and_what_does_not_print",
                ),
            ),
        ),
    ),
    Threat(
        "One tenant sees another's data",
        (
            Guard(
                "an image is cached for its Label Studio alone",
                "edgeflow_backend/images/sources.py",
                'return f"{self.host} {self.url}" if self.host else self.url',
                "return self.url",
                (
                    f"{_IMAGES}/test_sources.py::test_images_of_different_label_studios_are_never_one_in_the_cache",
                    f"{_IMAGES}/test_provider.py::test_what_one_label_studio_may_see_is_not_shown_to_the_other",
                ),
            ),
            Guard(
                "one in cloud storage for its task",
                "edgeflow_backend/images/sources.py",
                'return f"{self.host} {self.label_studio_url} {self.task_id} {self.uri}"',
                'return f"{self.host} {self.label_studio_url} {self.uri}"',
                (f"{_IMAGES}/test_sources.py::test_a_cloud_image_is_cached_for_its_task_alone",),
            ),
            Guard(
                "answers are remembered for a task of a project of a Label Studio",
                "edgeflow_backend/requests.py",
                'return f"{self.project.host}|{self.project.id}|{self.task_id}"',
                'return f"{self.project.id}|{self.task_id}"',
                (
                    f"{_BACKEND}/test_service.py::test_tasks_alike_of_two_label_studios_share_nothing",
                ),
            ),
            Guard(
                "what lies on disk is read by its owner alone",
                "edgeflow_backend/images/disk_cache.py",
                "self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)",
                "self._folder.mkdir(parents=True, exist_ok=True)",
                (f"{_IMAGES}/test_disk_cache.py::test_only_the_owner_may_read_it",),
            ),
            Guard(
                "and not believed if it was altered, or is another's",
                "edgeflow_backend/images/disk_cache.py",
                "if checksum != _checksum(path.name, created, data):",
                "if False:",
                (
                    f"{_IMAGES}/test_disk_cache.py::test_no_altered_byte_goes_unnoticed",
                    f"{_IMAGES}/test_disk_cache.py::test_a_file_under_another_files_name_is_not_taken_for_it",
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
                    f"{_SHARED}/test_sealing.py::test_a_value_is_refused_under_another_name",
                    f"{_SHARED}/test_sealing.py::test_nobody_without_the_secret_makes_a_value",
                    f"{_SHARED}/test_tier.py::test_any_changed_byte_in_redis_makes_a_value_none",
                ),
            ),
            Guard(
                "nothing but numbers, texts, masks and maps can come out of one",
                "edgeflow_backend/shared/packing.py",
                "if not least <= value <= most:",
                "if False:",
                (f"{_SHARED}/test_packing.py::test_any_bytes_are_read_or_refused",),
            ),
            Guard(
                "a compressed mask takes no more than its image",
                "edgeflow_backend/shared/packing.py",
                "if pixels > self._max_pixels:",
                "if False:",
                (f"{_SHARED}/test_packing.py::test_a_mask_larger_than_its_image_is_refused",),
            ),
            Guard(
                "a state of other clicks, or of another image, is not gone on from",
                "edgeflow_backend/shared/states.py",
                "check_state(state, predictor, image.size, clicks[:count], start)",
                "pass",
                (f"{_SHARED}/test_states.py::test_a_forged_value_is_counted_and_computed",),
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
                (f"{_SHARED}/test_tier.py::test_tls_is_checked",),
            ),
            Guard(
                "a password is not repeated, in words or in the log",
                "edgeflow_backend/shared/tier.py",
                "self._trouble = reason",
                "self._trouble = str(error)",
                (f"{_SHARED}/test_tier.py::test_a_wrong_password_is_told_without_repeating_it",),
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
                    f"{_BACKEND}/cluster/test_ray_cluster.py::test_a_door_leaves_a_cluster_that_lets_anybody_in_unless_told_to_stay",
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
                    f"{_BACKEND}/cluster/test_remote.py::test_all_calls_for_an_image_go_to_one_place_whose_name_may_be_logged",
                ),
            ),
        ),
    ),
)
