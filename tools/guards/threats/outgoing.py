"""What leaves: requests to where they should not go, and tokens."""

from __future__ import annotations

from tools.guards.guard import Guard, Threat
from tools.guards.threats.places import BACKEND, DECODING, IMAGES, NET

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
                    f"{NET}/test_hostile_urls.py::test_an_ip_that_is_not_public_is_never_connected_to",
                    f"{NET}/test_hostile_urls.py::test_a_disguise_leads_nowhere",
                    f"{NET}/test_hostile_urls.py::test_a_redirect_inside_is_refused",
                    f"{NET}/test_hostile_urls.py::test_a_chain_of_redirects_is_checked_at_every_hop",
                ),
            ),
            Guard(
                "an IPv4 inside an IPv6 is judged by itself",
                "edgeflow_backend/net/public_ips.py",
                "return mapped or ip",
                "return ip",
                (f"{NET}/test_public_ips.py::test_an_ipv4_inside_an_ipv6_one_is_judged_by_itself",),
            ),
            Guard(
                "a cloud's credentials are not public",
                "edgeflow_backend/net/public_ips.py",
                '"169.254.0.0/16",  #',
                "#",
                (f"{NET}/test_public_ips.py::test_any_other_ip_is_not_public",),
            ),
            Guard(
                "the IP that was checked is the one that is connected to (DNS rebinding)",
                "edgeflow_backend/net/connect.py",
                "return _open(info, timeout_s(), options)",
                "return socket.create_connection((host, port), timeout_s())",
                (
                    f"{NET}/test_connect.py::test_a_name_that_turns_private_after_the_check_gains_nothing",
                ),
            ),
            Guard(
                "of a name's several IPs each is checked",
                "edgeflow_backend/net/connect.py",
                "if permits(str(info[4][0]))]",
                "]",
                (f"{NET}/test_connect.py::test_of_several_ips_only_the_permitted_ones_are_tried",),
            ),
            Guard(
                "a proxy is not asked for what is inside",
                "edgeflow_backend/net/sessions.py",
                "if not any(self._guard.permits(scheme, host, port, text) for text in texts):",
                "if not texts:",
                (f"{NET}/test_proxy.py::test_a_private_host_is_refused_before_the_proxy_is_asked",),
            ),
            Guard(
                "redirects are few",
                "edgeflow_backend/images/download.py",
                "for _ in range(MAX_REDIRECTS + 2):",
                "for _ in range(100 * MAX_REDIRECTS):",
                (f"{IMAGES}/test_download.py::test_too_many_redirects_are_refused",),
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
                    f"{IMAGES}/test_download.py::test_the_token_is_dropped_on_a_redirect_to_another_origin",
                    f"{IMAGES}/test_download.py::test_the_token_is_not_sent_to_another_port_of_the_same_machine",
                    f"{IMAGES}/test_download.py::test_the_token_is_not_sent_where_programs_disagree_on_a_urls_host",
                ),
            ),
            Guard(
                "with several Label Studios, each has its own token",
                "edgeflow_backend/images/provider.py",
                "self._downloaders[source.host].fetch(source.url)",
                'self._downloaders[""].fetch(source.url)',
                (
                    f"{IMAGES}/test_provider.py::test_each_label_studio_is_asked_for_its_own_images_with_its_own_token",
                ),
            ),
            Guard(
                "passwords and proxies of the environment are not used, nor cookies kept",
                "edgeflow/label_studio/api/transport.py",
                "session.trust_env = False",
                "session.trust_env = True",
                (f"{IMAGES}/test_download.py::test_passwords_of_a_netrc_file_are_not_sent",),
            ),
            Guard(
                "a URL is written without login, path, query and fragment",
                "edgeflow_backend/redact/urls.py",
                "    if not parts.scheme or not parts.host:\n        return otherwise\n",
                "    return url\n",
                (
                    f"{BACKEND}/redact/test_urls.py::test_a_url_is_named_without_what_may_be_secret",
                    "tests/contract/test_secrets.py::test_of_an_images_url",
                ),
            ),
            Guard(
                "whatever is logged has what looks like a secret taken out",
                "edgeflow_backend/log.py",
                "key: hide_secrets(value[:MAX_TEXT]) if",
                "key: value if",
                (
                    f"{BACKEND}/test_log.py::test_what_looks_like_a_secret_is_taken_out_of_every_text",
                ),
            ),
            Guard(
                "whatever is shown has, too",
                "edgeflow_backend/redact/texts.py",
                "    text = hide_secrets(text)\n",
                "",
                (
                    f"{BACKEND}/redact/test_texts.py::test_cleaning_takes_out_secrets_and_what_does_not_print",
                ),
            ),
            Guard(
                "the processes that open strangers' images know no token",
                "edgeflow_backend/settings.py",
                "for name, value in os.environ.items() if not name.startswith(own)",
                "for name, value in os.environ.items()",
                (f"{DECODING}/test_decoder.py::test_a_child_sees_no_token",),
            ),
        ),
    ),
)
