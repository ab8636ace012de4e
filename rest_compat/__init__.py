"""The CaaS REST interface: HAL over HTTP, in front of the store."""

from rest_compat.app import create_app
from rest_compat.settings import RestSettings

__all__ = ["RestSettings", "create_app"]
