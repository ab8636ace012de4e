"""What an operator may choose about the REST interface."""

from dataclasses import dataclass

__all__ = ["RestSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RestSettings:
    """Settings of the REST interface.

    Args:
        default_page_size: elements of a list where ``pagesize`` is not given.
        max_page_size: the largest ``pagesize`` that is answered.
        max_body_bytes: the largest JSON body that is read.
        allowed_origins: web origins whose pages may use cookies; pages of all others may read answers without.
        public_url: the base of absolute links, such as ``https://caas.example``; empty takes it from each request.
        realm: what browsers show when they ask for user and password.
    """

    default_page_size: int = 20
    max_page_size: int = 100
    max_body_bytes: int = 16 * 1024 * 1024
    allowed_origins: tuple[str, ...] = ()
    public_url: str = ""
    realm: str = "OpenCaaS"
