from __future__ import annotations

import ast
import re
import traceback
from pathlib import Path

import certifi
import pytest
from pydantic import AliasChoices, SecretStr, ValidationError

from edgeflow.checkpoints.checkpoint import DEFAULT_MODEL
from edgeflow.images import MAX_PIXELS
from edgeflow.inference.quality import QUALITIES
from edgeflow.inference.zoom import POLICIES
from edgeflow_backend.net.uplink import Uplink
from edgeflow_backend.protocol.wire import first_problem
from edgeflow_backend.settings import Settings

ROOT = Path(__file__).parents[3]
PREFIX = "EDGEFLOW_"


def variable(field: str) -> str:
    """The environment variable of a field, as the documentation names it."""
    alias = Settings.model_fields[field].validation_alias
    return str(alias.choices[0]) if isinstance(alias, AliasChoices) else PREFIX + field.upper()


def refusal(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> str:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as caught:
        Settings()
    return first_problem(caught.value)


def test_without_an_environment_the_shipped_model_serves_with_the_documented_limits() -> None:
    settings = Settings()
    assert settings.model == DEFAULT_MODEL
    assert settings.device == "auto"
    assert settings.label_studio_url == ""
    assert settings.label_studio_api_key.get_secret_value() == ""
    assert settings.basic_auth_user == ""
    assert settings.basic_auth_password.get_secret_value() == ""
    assert settings.max_clicks == 100
    assert settings.max_body_mb == 64
    assert settings.max_pixels == MAX_PIXELS
    assert settings.log_level == "INFO"
    assert settings.log_format == "json"


def test_a_prediction_is_given_up_before_label_studio_gives_up() -> None:
    assert Settings().request_timeout_s < 100
    with pytest.raises(ValidationError):
        Settings(request_timeout_s=100)


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("model", "/srv/weights/own.safetensors", "/srv/weights/own.safetensors"),
        ("models_dir", "/srv/models", "/srv/models"),
        ("project_models", '{"12": "other"}', {"12": "other"}),
        ("zoom", "ritm", "ritm"),
        ("device", "cuda:1", "cuda:1"),
        ("cpu_threads", "4", 4),
        ("http_threads", "100", 100),
        ("label_studio_url", "http://studio:8080", "http://studio:8080"),
        ("label_studio_api_key", "abc", SecretStr("abc")),
        ("allowed_hosts", "minio:9000, 10.0.0.0/8", "minio:9000, 10.0.0.0/8"),
        ("label_studio_public_url", "https://labels.example/", "https://labels.example"),
        ("label_studio_login", "anna:pass", SecretStr("anna:pass")),
        ("proxy", "http://anna:pass@proxy:3128", SecretStr("http://anna:pass@proxy:3128")),
        ("no_proxy", "minio, .corp.example", "minio, .corp.example"),
        ("basic_auth_user", "anna", "anna"),
        ("basic_auth_password", "pass", SecretStr("pass")),
        ("max_body_mb", "0.5", 0.5),
        ("max_clicks", "7", 7),
        ("max_image_mb", "3", 3),
        ("max_pixels", "1000", 1000),
        ("connect_timeout_s", "1.5", 1.5),
        ("read_timeout_s", "2", 2),
        ("download_timeout_s", "9", 9),
        ("request_timeout_s", "20", 20),
        ("queue_limit", "2", 2),
        ("max_batch", "8", 8),
        ("batch_window_ms", "2.5", 2.5),
        ("state_cache_mb", "0", 0),
        ("image_cache_mb", "10", 10),
        ("image_ttl_s", "60", 60),
        ("image_disk_cache_dir", "/var/cache/edgeflow", "/var/cache/edgeflow"),
        ("image_disk_cache_mb", "10", 10),
        ("image_disk_cache_ttl_s", "60", 60),
        ("log_level", "DEBUG", "DEBUG"),
        ("log_format", "console", "console"),
    ],
)
def test_each_setting_is_read_from_its_variable(
    monkeypatch: pytest.MonkeyPatch, field: str, text: str, value: object
) -> None:
    monkeypatch.setenv(PREFIX + field.upper(), text)
    assert getattr(Settings(), field) == value


@pytest.mark.parametrize("name", ["LABEL_STUDIO_URL", "LABEL_STUDIO_HOST"])
def test_label_studios_own_names_for_its_url_are_read(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "https://studio.example")
    assert Settings().label_studio_url == "https://studio.example"


def test_label_studios_own_name_for_the_token_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", "abc")
    assert Settings().label_studio_api_key.get_secret_value() == "abc"


def test_our_own_name_wins_over_label_studios(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABEL_STUDIO_HOST", "http://third")
    monkeypatch.setenv("LABEL_STUDIO_URL", "http://second")
    assert Settings().label_studio_url == "http://second"
    monkeypatch.setenv("EDGEFLOW_LABEL_STUDIO_URL", "http://first")
    assert Settings().label_studio_url == "http://first"


@pytest.mark.parametrize(
    "text", ["http://studio:8080", "http://studio:8080/", " http://studio:8080// \n"]
)
def test_the_url_is_kept_without_spaces_and_trailing_slashes(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("LABEL_STUDIO_URL", text)
    assert Settings().label_studio_url == "http://studio:8080"


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("cpu_threads", "-1"),
        ("cpu_threads", "two"),
        ("http_threads", "0"),
        ("http_threads", "100000"),
        ("max_body_mb", "0"),
        ("max_body_mb", "64MB"),
        ("max_clicks", "0"),
        ("max_clicks", ""),
        ("max_clicks", "1.5"),
        ("max_image_mb", "-1"),
        ("max_pixels", "0"),
        ("max_pixels", "1000000000"),
        ("connect_timeout_s", "0"),
        ("read_timeout_s", "nan"),
        ("download_timeout_s", "-3"),
        ("request_timeout_s", "96"),
        ("queue_limit", "0"),
        ("max_batch", "-1"),
        ("max_batch", "1000"),
        ("batch_window_ms", "-1"),
        ("batch_window_ms", "60000"),
        ("state_cache_mb", "-1"),
        ("image_cache_mb", "-1"),
        ("image_ttl_s", "0"),
        ("image_disk_cache_mb", "0"),
        ("image_disk_cache_ttl_s", "0"),
        ("allowed_hosts", "http://minio:9000"),
        ("allowed_hosts", "minio, *"),
        ("allowed_hosts", "10.1.2.3/8"),
        ("label_studio_hosts", "team-b"),
        ("label_studio_hosts", '["team-b"]'),
        ("label_studio_hosts", '{"team-b": "https://b.example"}'),
        ("label_studio_hosts", '{"team-b": {}}'),
        ("label_studio_hosts", '{"team-b": {"url": ""}}'),
        ("label_studio_hosts", '{"team-b": {"url": "b.example"}}'),
        ("label_studio_hosts", '{"team-b": {"url": "ftp://b.example"}}'),
        ("label_studio_hosts", '{"team-b": {"url": "http://b.example:99999"}}'),
        ("label_studio_hosts", '{"team-b": {"url": "http://b.example", "token": "x"}}'),
        ("label_studio_hosts", '{"team-b": {"url": "http://b.example", "api_key": 5}}'),
        ("label_studio_hosts", '{"": {"url": "http://b.example"}}'),
        ("label_studio_hosts", '{"Team B": {"url": "http://b.example"}}'),
        ("label_studio_hosts", '{"team/b": {"url": "http://b.example"}}'),
        ("label_studio_hosts", '{"team-b\\n": {"url": "http://b.example"}}'),
        ("label_studio_hosts", f'{{"{"x" * 41}": {{"url": "http://b.example"}}}}'),
        ("label_studio_public_url", "labels.example"),
        ("proxy", "socks5://proxy:1080"),
        ("proxy", "https://proxy:3128"),
        ("no_proxy", "http://minio"),
        ("zoom", "fisheye"),
        ("project_models", '{"12": 5}'),
        ("project_models", "[12]"),
        ("log_level", "LOUD"),
        ("log_format", "xml"),
    ],
)
def test_a_bad_value_is_refused_with_the_name_of_the_setting(
    monkeypatch: pytest.MonkeyPatch, field: str, text: str
) -> None:
    assert field in refusal(monkeypatch, PREFIX + field.upper(), text)


@pytest.mark.parametrize("limit", ["8", "9"])
def test_a_queue_that_could_hold_every_thread_is_refused(
    monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setenv("EDGEFLOW_HTTP_THREADS", "8")
    message = refusal(monkeypatch, "EDGEFLOW_QUEUE_LIMIT", limit)
    assert "EDGEFLOW_QUEUE_LIMIT" in message
    assert "EDGEFLOW_HTTP_THREADS" in message
    monkeypatch.setenv("EDGEFLOW_QUEUE_LIMIT", "7")
    assert Settings().queue_limit == 7


@pytest.mark.parametrize(
    "field",
    [
        "max_body_mb",
        "max_image_mb",
        "connect_timeout_s",
        "read_timeout_s",
        "download_timeout_s",
        "state_cache_mb",
        "image_cache_mb",
    ],
)
def test_an_infinite_limit_is_refused(monkeypatch: pytest.MonkeyPatch, field: str) -> None:
    assert field in refusal(monkeypatch, PREFIX + field.upper(), "inf")


@pytest.mark.parametrize(
    "url",
    [
        "studio:8080",
        "localhost",
        "ftp://studio",
        "file:///data",
        "http://",
        "//studio",
        "http://[",
        "http://:8080",
        "http://studio:99999",
        "http://studio:port",
    ],
)
@pytest.mark.parametrize("name", ["LABEL_STUDIO_URL", "EDGEFLOW_LABEL_STUDIO_URL"])
def test_an_unusable_url_is_refused_with_the_name_of_the_setting(
    monkeypatch: pytest.MonkeyPatch, name: str, url: str
) -> None:
    assert "LABEL_STUDIO_URL" in refusal(monkeypatch, name, url)


@pytest.mark.parametrize(
    "url",
    [
        "localhost",
        "http://localhost:6379",
        "redis://",
        "redis://host:99999",
        "redis://host/zero",
        "redis://:secret@host:port/0",
        "rediss://:secret@host/0?ssl_cert_reqs=none",
        "rediss://:secret@host?ssl_check_hostname=false",
        "unix:///run/redis.sock",
    ],
)
def test_an_unusable_url_of_redis_is_refused_without_its_password(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    message = refusal(monkeypatch, "EDGEFLOW_REDIS_URL", url)
    assert "redis_url" in message.lower()
    assert "secret" not in message


def test_redis_is_off_unless_it_has_a_url_and_its_secrets_are_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert Settings().redis_url.get_secret_value() == ""
    monkeypatch.setenv("EDGEFLOW_REDIS_URL", " rediss://me:secret@host:6380/1 ")
    monkeypatch.setenv("EDGEFLOW_REDIS_KEY", "secret" * 3)
    settings = Settings()
    assert settings.redis_url.get_secret_value() == "rediss://me:secret@host:6380/1"
    assert "secret" not in repr(settings)
    assert "16" in refusal(monkeypatch, "EDGEFLOW_REDIS_KEY", "short")


def test_project_models_that_are_no_json_are_refused_like_any_other_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "project_models" in refusal(monkeypatch, "EDGEFLOW_PROJECT_MODELS", "12:other")


def test_the_folder_of_models_may_begin_at_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Settings(models_dir="~/models").models_folder == tmp_path / "models"
    assert Settings().models_folder is None


def test_secrets_do_not_appear_in_any_text_of_the_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", "my-token")
    monkeypatch.setenv("EDGEFLOW_BASIC_AUTH_PASSWORD", "my-password")
    hosts = '{"team-b": {"url": "http://b.example", "api_key": "my-token"}}'
    monkeypatch.setenv("EDGEFLOW_LABEL_STUDIO_HOSTS", hosts)
    settings = Settings()
    for text in (repr(settings), str(settings), str(settings.model_dump()), f"{settings}"):
        assert "my-token" not in text
        assert "my-password" not in text


def test_several_label_studios_are_read_with_their_tokens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LABEL_STUDIO_URL", "https://a.example")
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", "token-a")
    hosts = (
        '{"team-b": {"url": "https://b.example/", "api_key": "token-b"}, "2": {"url": "http://c"}}'
    )
    monkeypatch.setenv("EDGEFLOW_LABEL_STUDIO_HOSTS", hosts)
    studios = Settings().label_studios
    assert {name: studio.url for name, studio in studios.items()} == {
        "": "https://a.example",
        "team-b": "https://b.example",
        "2": "http://c",
    }
    tokens = [studio.api_key.get_secret_value() for studio in studios.values()]
    assert tokens == ["token-a", "token-b", ""]


def test_there_is_always_a_default_label_studio() -> None:
    assert [*Settings().label_studios] == [""]
    assert Settings().label_studios[""].url == ""


TOKEN_MISTAKES = [
    "my-token",
    '"my-token"',
    '["my-token"]',
    '{"team-b": "my-token"}',
    '{"team-b": ["my-token"]}',
    '{"team-b": {"api_key": "my-token"}}',
    '{"team-b": {"url": "b.example", "api_key": "my-token"}}',
    '{"team-b": {"url": "http://b.example", "token": "my-token"}}',
    '{"team-b": {"url": "http://b.example", "api_key": ["my-token"]}}',
    '{"team-b": {"url": "http://b.example", "api_key": {"is": "my-token"}}}',
    '{"Team B": {"url": "http://b.example", "api_key": "my-token"}}',
    '{"team-b": {"url": "http://b.example", "api_key": "my-token"}',
]


@pytest.mark.parametrize("text", TOKEN_MISTAKES)
def test_a_mistake_with_several_label_studios_shows_no_token(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("EDGEFLOW_LABEL_STUDIO_HOSTS", text)
    with pytest.raises(ValidationError) as caught:
        Settings()
    error = caught.value
    whole = "".join(traceback.format_exception(error))
    for said in (first_problem(error), str(error), repr(error), str(error.errors()), whole):
        assert "my-token" not in said


def test_a_mistake_elsewhere_shows_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = '{"team-b": {"url": "http://b.example", "api_key": "my-token"}}'
    monkeypatch.setenv("EDGEFLOW_LABEL_STUDIO_HOSTS", hosts)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", "my-token")
    monkeypatch.setenv("EDGEFLOW_HTTP_THREADS", "8")
    with pytest.raises(ValidationError) as caught:
        Settings()
    for said in (str(caught.value), repr(caught.value), first_problem(caught.value)):
        assert "my-token" not in said


PASSWORDS = [
    ("LABEL_STUDIO_URL", "https://anna:my-password@host:port"),
    ("LABEL_STUDIO_URL", "ftp://anna:my-password@host"),
    ("LABEL_STUDIO_URL", "https://anna:my-password#1@host"),
    ("LABEL_STUDIO_URL", "https://anna:my-password/1@host"),
    ("EDGEFLOW_LABEL_STUDIO_PUBLIC_URL", "ftp://anna:my-password@host"),
    ("EDGEFLOW_LABEL_STUDIO_HOSTS", '{"b": {"url": "ftp://anna:my-password@host"}}'),
    ("EDGEFLOW_PROXY", "socks5://anna:my-password@host"),
    ("EDGEFLOW_PROXY", "http://anna:my-password@host:port"),
    ("EDGEFLOW_ALLOWED_HOSTS", "http://anna:my-password@minio"),
    ("EDGEFLOW_NO_PROXY", "anna:my-password@minio"),
]


@pytest.mark.parametrize(("name", "text"), PASSWORDS)
def test_a_mistake_beside_a_password_does_not_show_it(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    monkeypatch.setenv(name, text)
    with pytest.raises(ValidationError) as caught:
        Settings()
    whole = "".join(traceback.format_exception(caught.value))
    for said in (first_problem(caught.value), str(caught.value), repr(caught.value), whole):
        assert "my-password" not in said


@pytest.mark.parametrize("name", ["LABEL_STUDIO_URL", "LABEL_STUDIO_HOST"])
def test_a_login_in_the_url_is_parted_from_it(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "https://anna:my%40password@host/labels/")
    hosts = '{"b": {"url": "http://anna:my%40password@b"}}'
    monkeypatch.setenv("EDGEFLOW_LABEL_STUDIO_HOSTS", hosts)
    settings = Settings()
    assert settings.label_studio_url == "https://host/labels"
    for studio in settings.label_studios.values():
        assert studio.login.get_secret_value() == "anna:my@password"
    assert settings.label_studio_hosts["b"].url == "http://b"
    for text in (repr(settings), str(settings.model_dump()), repr(settings.label_studios)):
        assert "password" not in text.replace("basic_auth_password", "")


def test_a_login_of_its_own_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABEL_STUDIO_URL", "https://anna:old@host")
    monkeypatch.setenv("EDGEFLOW_LABEL_STUDIO_LOGIN", "berta:new")
    assert Settings().label_studio_login.get_secret_value() == "berta:new"


@pytest.mark.parametrize("name", ["EDGEFLOW_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_authorities_are_added_to_the_public_ones(
    monkeypatch: pytest.MonkeyPatch, name: str, tmp_path: Path
) -> None:
    bundle = tmp_path / "ca.pem"
    whole = Path(certifi.where()).read_text(encoding="utf-8")
    end = "-----END CERTIFICATE-----"
    bundle.write_text(whole.partition(end)[0] + end, encoding="utf-8")
    for path in (bundle, tmp_path):
        monkeypatch.setenv(name, str(path))
        settings = Settings()
        assert settings.ca_bundle == str(path)
        assert len(settings.uplink.tls.get_ca_certs()) >= len(Uplink().tls.get_ca_certs()) > 50


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("missing.pem", None, "no such file"),
        ("empty.pem", b"", "PEM format"),
        ("words.pem", b"hello", "PEM format"),
        ("der.cer", b"\x30\x82\x01\x00", "inform der"),
        ("key.pem", b"-----BEGIN PRIVATE KEY-----\nMA==\n-----END PRIVATE KEY-----", "PEM format"),
        ("bad.pem", b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----", "PEM format"),
        ("folder", None, "PEM format"),
    ],
)
def test_a_bundle_without_authorities_is_refused_in_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    elif name == "folder":
        path.mkdir()
        (path / "README").write_text("nothing")
    message = refusal(monkeypatch, "EDGEFLOW_CA_BUNDLE", str(path))
    assert "CA_BUNDLE" in message
    assert said in message


def test_the_folder_of_files_may_begin_at_home(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = Settings(image_disk_cache_dir="~/images")
    assert settings.image_disk_cache_folder == tmp_path / "images"
    assert Settings().image_disk_cache_folder is None


@pytest.mark.parametrize(
    "name",
    ["max_body", "max_image", "state_cache", "image_cache", "image_disk_cache", "redis_queue"],
)
def test_a_megabyte_is_a_million_bytes(name: str) -> None:
    settings = Settings.model_validate({f"{name}_mb": 0.5})
    assert getattr(settings, f"{name}_bytes") == 500_000


def test_every_zoom_policy_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [Settings(zoom=name).zoom for name in POLICIES] == list(POLICIES)
    assert ", ".join(POLICIES) in refusal(monkeypatch, "EDGEFLOW_ZOOM", "fisheye")


def test_every_quality_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [Settings(quality=name).quality for name in QUALITIES] == list(QUALITIES)
    assert ", ".join(QUALITIES) in refusal(monkeypatch, "EDGEFLOW_QUALITY", "perfect")


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings().max_clicks = 5  # type: ignore[misc]


def test_variables_of_other_programs_do_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEFLOW_TEST_LABEL_STUDIO", "x")
    monkeypatch.setenv("MAX_CLICKS", "5")
    assert Settings().max_clicks == 100


def test_every_setting_is_documented() -> None:
    rows = re.findall(
        r"^\| `([A-Z_]+)` \| (?:`([^`]*)`)? *\|",
        (ROOT / "docs" / "settings.md").read_text(encoding="utf-8"),
        flags=re.MULTILINE,
    )
    documented = dict(rows)
    assert len(documented) == len(rows), "a setting is documented twice"
    assert documented == {
        variable(name): "" if isinstance(field.default, SecretStr) else str(field.default)
        for name, field in Settings.model_fields.items()
    }


def test_every_setting_says_what_it_means() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def modules(package: str) -> list[Path]:
    found = sorted((ROOT / package).rglob("*.py"))
    assert len(found) > 5
    return found


def test_no_other_module_reads_the_environment() -> None:
    reading = {"environ", "environb", "getenv", "getenvb"}
    found = set()
    for path in modules("edgeflow") + modules("edgeflow_backend"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.attr] if isinstance(node, ast.Attribute) else []
            if isinstance(node, ast.ImportFrom) and node.module == "os":
                names = [alias.name for alias in node.names]
            if reading.intersection(names):
                found.add(str(path.relative_to(ROOT)))
    assert found == {"edgeflow_backend/settings.py"}


def test_the_model_package_never_imports_the_backend() -> None:
    found = []
    for path in modules("edgeflow"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            imported = []
            if isinstance(node, ast.Import):
                imported = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                imported = [node.module or ""]
            if any(name.split(".")[0] == "edgeflow_backend" for name in imported):
                found.append(str(path.relative_to(ROOT)))
    assert found == []


def test_projects_to_learn_from_are_named_with_their_label_studio() -> None:
    hosts = {"b": {"url": "http://b.example"}}
    settings = Settings(learn_projects=" 12, b/7,12,", label_studio_hosts=hosts)
    assert settings.learning == (("", "12"), ("b", "7"))
    assert Settings().learning == ()


@pytest.mark.parametrize("value", ["twelve", "12 13", "12/b", "b/7", "*", "-1", "1" * 13])
def test_what_names_no_project_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    assert refusal(monkeypatch, "EDGEFLOW_LEARN_PROJECTS", value)


def test_a_webhooks_secret_is_long_enough_and_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "16 characters" in refusal(monkeypatch, "EDGEFLOW_WEBHOOK_SECRET", "s3cret")
    assert "s3cret" not in refusal(monkeypatch, "EDGEFLOW_WEBHOOK_SECRET", "s3cret")
