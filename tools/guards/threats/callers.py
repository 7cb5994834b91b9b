"""Those who ask: without a password, from a page, in two ways at once, or in the log."""

from __future__ import annotations

from tools.guards.guard import Guard, Threat
from tools.guards.threats.places import BACKEND, NET, SERVER

THREATS = (
    Threat(
        "Somebody without the password",
        (
            Guard(
                "every address but `/health` wants it, of any method, known or not",
                "edgeflow_backend/app.py",
                'if request.endpoint == "backend.health" or auth.allows(authorization):',
                "if request.endpoint is None or auth.allows(authorization):",
                (
                    f"{BACKEND}/test_every_address.py::test_without_the_password_all_addresses_give_one_answer",
                ),
            ),
            Guard(
                "it is compared in constant time and as a whole",
                "edgeflow_backend/web/auth.py",
                "return hmac.compare_digest(credentials, self._expected)",
                "return credentials.startswith(self._expected)",
                (f"{BACKEND}/web/test_auth.py::test_a_wrong_user_or_password_may_not_pass",),
            ),
            Guard(
                "a malformed header is none",
                "edgeflow_backend/web/auth.py",
                "data = base64.b64decode(code.strip(), validate=True)",
                "data = base64.b64decode(code.strip() + '===')",
                (
                    f"{BACKEND}/web/test_auth.py::test_a_malformed_header_as_the_server_reads_it_may_not_pass",
                ),
            ),
            Guard(
                "a forged event changes nothing but what `/status` says, and asks Label Studio little",
                "edgeflow_backend/label_studio/projects.py",
                " and self._waiting < MAX_WAITING",
                "",
                (
                    f"{BACKEND}/label_studio/test_projects.py::test_a_flood_of_projects_is_not_asked_for",
                ),
            ),
            Guard(
                "names that anybody may send make no new metrics",
                "edgeflow_backend/status/metrics.py",
                'action if action in KNOWN_ACTIONS else "other"',
                "action",
                (f"{BACKEND}/test_app.py::test_metrics_stay_bounded_whatever_is_asked",),
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
                (f"{BACKEND}/test_every_address.py::test_a_page_in_a_browser_changes_nothing",),
            ),
            Guard(
                "every text on `/status` is escaped",
                "edgeflow_backend/status/page.py",
                "Environment(autoescape=True",
                "Environment(autoescape=False",
                (
                    f"{BACKEND}/status/test_page.py::test_no_request_puts_markup_into_the_page",
                    f"{BACKEND}/status/test_page.py::test_every_single_value_is_escaped",
                ),
            ),
            Guard(
                "and the page may run nothing, nor be framed",
                "edgeflow_backend/app.py",
                "        response.headers.update(HEADERS)\n",
                "",
                (
                    f"{BACKEND}/test_app.py::test_both_forms_of_the_status_page_say_the_same_under_safe_headers",
                ),
            ),
            Guard(
                "a command to copy from there holds nothing that a request brought",
                "edgeflow_backend/status/export_command.py",
                "if not _NUMBER.fullmatch(number):",
                "if False:",
                (
                    f"{BACKEND}/status/test_export_command.py::test_a_project_without_a_number_has_none",
                ),
            ),
            Guard(
                "paths are not put right by a redirect to a host that the client names",
                "edgeflow_backend/app.py",
                "app.url_map.merge_slashes = False",
                "app.url_map.merge_slashes = True",
                (f"{BACKEND}/test_app.py::test_a_path_is_not_put_right_by_a_redirect",),
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
                    f"{SERVER}/test_head.py::test_a_length_that_two_servers_could_read_differently_is_refused",
                    "tests/contract/test_raw_sockets.py::test_a_malformed_request_gets_an_error_in_json_and_the_connection_ends",
                ),
            ),
            Guard(
                "and says it once; so do a host and a password",
                "edgeflow_backend/server/head.py",
                "if name in fields and name in SINGLE:",
                "if False:",
                (f"{SERVER}/test_head.py::test_of_a_field_that_is_alone_a_second_one_is_refused",),
            ),
            Guard(
                "lines end as the standard has it",
                "edgeflow_backend/server/parser.py",
                "if BARE_LINE_FEED.search(kept, max(0, before - skipped - 1)):",
                "if False:",
                (
                    f"{SERVER}/test_parser.py::test_a_malformed_request_is_refused_as_soon_as_that_shows",
                ),
            ),
            Guard(
                "a head is measured",
                "edgeflow_backend/server/parser.py",
                "if len(kept) > MAX_HEAD:",
                "if False:",
                (
                    f"{SERVER}/test_parser.py::test_a_malformed_request_is_refused_as_soon_as_that_shows",
                ),
            ),
            Guard(
                "so is a chunk's line",
                "edgeflow_backend/server/chunks.py",
                "if len(self._line) > MAX_LINE:",
                "if False:",
                (
                    f"{SERVER}/test_parser.py::test_a_malformed_request_is_refused_as_soon_as_that_shows",
                ),
            ),
            Guard(
                "a field with an underscore is not taken for another",
                "edgeflow_backend/server/head.py",
                "continue  # indistinguishable",
                "pass  # indistinguishable",
                (f"{SERVER}/test_head.py::test_a_field_with_an_underscore_is_left_out",),
            ),
            Guard(
                "a head must come in ten seconds",
                "edgeflow_backend/server/channel.py",
                "else self.since + HEAD_S",
                "else self.since + 10**6",
                (f"{SERVER}/test_server.py::test_a_late_client_is_sent_away",),
            ),
            Guard(
                "a host's answer must be whole in time, however it drips",
                "edgeflow_backend/net/sessions.py",
                "watched.shutdown(socket.SHUT_RDWR)",
                "pass",
                (f"{NET}/test_sessions.py::test_a_handshake_that_drips_is_cut_off_in_time",),
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
                    f"{BACKEND}/test_log.py::test_no_text_begins_a_line_of_its_own_or_drives_a_terminal",
                ),
            ),
            Guard(
                "and taken out of what `/status` and answers say",
                "edgeflow_backend/redact/texts.py",
                'x if x.isprintable() or x in _JOINERS else "�" for x in text',
                "x for x in text",
                (
                    f"{BACKEND}/redact/test_texts.py::test_cleaning_takes_out_secrets_and_what_does_not_print",
                ),
            ),
        ),
    ),
)
