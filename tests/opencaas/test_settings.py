"""Settings: flags before environment before defaults, every mistake at once, secrets masked."""

from pathlib import Path

import pytest

from opencaas.asgi import graphql_settings
from opencaas.settings import SettingsError, check_secrets, read_settings


@pytest.fixture(autouse=True)
def _no_settings_of_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in [name for name in os.environ if name.startswith("OPENCAAS_")]:
        monkeypatch.delenv(name)


def test_defaults_listen_on_loopback() -> None:
    settings = read_settings()

    assert ("127.0.0.1", 8080, 1) == (settings.host, settings.port, settings.workers)


def test_environment_wins_over_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCAAS_PORT", "9001")

    assert 9001 == read_settings().port


def test_flag_wins_over_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCAAS_DATA_DIR", "/from/environment")

    assert Path("/from/flag") == read_settings(data_dir=Path("/from/flag")).data_dir


def test_flag_that_was_not_given_leaves_the_environment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCAAS_HOST", "127.0.0.2")

    assert "127.0.0.2" == read_settings(host=None).host


def test_origins_are_a_comma_separated_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCAAS_ALLOWED_ORIGINS", "https://a.example, https://b.example,")

    assert ("https://a.example", "https://b.example") == read_settings().allowed_origins


def test_every_wrong_value_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCAAS_PORT", "high")
    monkeypatch.setenv("OPENCAAS_WORKERS", "0")

    with pytest.raises(SettingsError, match=r"OPENCAAS_PORT.*OPENCAAS_WORKERS"):
        read_settings()


def test_wrong_secret_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENCAAS_PORT", "s3cret-in-the-wrong-place")

    with pytest.raises(SettingsError) as caught:
        read_settings()

    assert "s3cret" not in str(caught.value)


def test_secrets_are_masked_when_shown() -> None:
    settings = read_settings(admin_password="hunter2", mongodb_uri="mongodb://u:hunter2@h/")

    assert "hunter2" not in repr(settings)
    assert "hunter2" not in str(settings.model_dump())


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, "OPENCAAS_ADMIN_PASSWORD and OPENCAAS_TOKEN_SECRET"),
        ({"admin_password": "x"}, "OPENCAAS_TOKEN_SECRET"),
        ({"token_secret": "x"}, "OPENCAAS_ADMIN_PASSWORD"),
        ({"admin_password": "", "token_secret": "x"}, "OPENCAAS_ADMIN_PASSWORD"),
    ],
    ids=["neither", "no-token-secret", "no-password", "empty-password"],
)
def test_external_mongodb_without_secrets_is_refused(given: dict[str, str], named: str) -> None:
    settings = read_settings(mongodb_uri="mongodb://h/", **given)

    with pytest.raises(SettingsError, match=f"^{named} must"):
        check_secrets(settings)


def test_embedded_mongodb_needs_no_secrets() -> None:
    check_secrets(read_settings())


@pytest.mark.parametrize(
    "given", [{"max_limit": 19}, {"default_limit": 101}, {"default_limit": 30, "max_limit": 25}], ids=str
)
def test_limits_that_would_refuse_every_query_are_refused(given: dict[str, int]) -> None:
    with pytest.raises(SettingsError, match="LIMIT"):
        read_settings(**given)


def test_the_compiler_can_be_turned_off_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert graphql_settings(read_settings()).compile_queries

    monkeypatch.setenv("OPENCAAS_COMPILE_QUERIES", "false")

    assert not graphql_settings(read_settings()).compile_queries
