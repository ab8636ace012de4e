from content_core.cors import cors_headers

SHOP = "https://shop.example"


def test_without_a_list_every_origin_reads_and_none_sends_credentials() -> None:
    expected = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "ETag"}

    assert expected == cors_headers(SHOP, (), exposed="ETag")
    assert expected == cors_headers(None, (), exposed="ETag")


def test_a_listed_origin_may_send_credentials() -> None:
    headers = cors_headers(SHOP, (SHOP,), exposed="")

    assert (SHOP, "true") == (headers["Access-Control-Allow-Origin"], headers["Access-Control-Allow-Credentials"])


def test_with_a_list_caches_keep_origins_apart() -> None:
    for origin in (SHOP, "https://evil.example", None):
        assert "Origin" == cors_headers(origin, (SHOP,), exposed="")["Vary"]


def test_an_origin_that_is_not_listed_gets_no_credentials() -> None:
    headers = cors_headers("https://evil.example", (SHOP,), exposed="")

    assert "*" == headers["Access-Control-Allow-Origin"]
    assert "Access-Control-Allow-Credentials" not in headers
