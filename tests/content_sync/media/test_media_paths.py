from dataclasses import replace

import pytest

from content_sync.delivery import DeliveryError
from content_sync.media_paths import checked_path, distinct_paths, url_path
from tests.content_sync.media.samples import GID, OTHER, media_file


def test_languages_that_share_a_path_get_their_own() -> None:
    files = [media_file(language=language, path="Photos/map.png") for language in ("de_DE", "en_GB")]

    assert [file.path for file in distinct_paths(files)] == ["Photos/de_DE/map.png", "Photos/en_GB/map.png"]


def test_languages_with_paths_of_their_own_keep_them() -> None:
    files = [media_file(language="de_DE", path="Photos/karte.png"), media_file(language="en_GB", path="Photos/map.png")]

    assert list(distinct_paths(files)) == files


def test_a_shared_path_at_the_top_gets_a_folder() -> None:
    files = [media_file(language=language, path="map.png") for language in ("de_DE", "en_GB")]

    assert [file.path for file in distinct_paths(files)] == ["de_DE/map.png", "en_GB/map.png"]


def test_other_media_do_not_matter() -> None:
    files = [media_file(gid=GID, language="de_DE"), media_file(gid=OTHER, language="en_GB")]

    assert list(distinct_paths(files)) == files


def test_resolutions_of_one_language_are_left_alone() -> None:
    files = [media_file(), media_file(resolution="S", path="Photos/ridge_S.jpg")]

    assert list(distinct_paths(files)) == files


@pytest.mark.parametrize("path", ["a/../b.jpg", "..", ".", "a//b.jpg", "/a.jpg", "a/", "a\x00.jpg", "a\u202eb.jpg"])
def test_paths_that_lead_elsewhere_are_refused(path: str) -> None:
    with pytest.raises(DeliveryError, match="no path"):
        checked_path(replace(media_file(), path=path))


def test_a_path_becomes_part_of_a_url() -> None:
    assert url_path("Pläne & mehr/a b#1?%.jpg") == "Pl%C3%A4ne%20&%20mehr/a%20b%231%3F%25.jpg"
