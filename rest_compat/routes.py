"""The route table: which handler answers which method on which kind of resource."""

from collections.abc import Mapping

from content_core.access import AccessControl, KeyStore
from content_core.hooks import DefinitionHook
from content_core.store import Store
from rest_compat.apikeys import ApiKeys
from rest_compat.call import Handler
from rest_compat.databases import Databases
from rest_compat.definitions import Definitions
from rest_compat.resources import Kind
from rest_compat.settings import RestSettings

__all__ = ["build_routes"]


def build_routes(
    *, store: Store, access: AccessControl, keys: KeyStore, definitions: DefinitionHook, settings: RestSettings
) -> Mapping[tuple[Kind, str], Handler]:
    """Build the table. HEAD has no entries of its own: it is answered by GET."""
    databases = Databases(store, keys)
    apikeys = ApiKeys(store, access, keys, settings)
    apps = Definitions(store, definitions, settings)
    return {
        (Kind.DB, "PUT"): databases.put,
        (Kind.KEYS, "GET"): apikeys.list,
        (Kind.KEYS, "POST"): apikeys.post,
        (Kind.KEY, "GET"): apikeys.read,
        (Kind.KEY, "PUT"): apikeys.put,
        (Kind.KEY, "DELETE"): apikeys.delete,
        (Kind.DEFINITIONS, "GET"): apps.list,
        (Kind.DEFINITIONS, "POST"): apps.post,
        (Kind.DEFINITION, "GET"): apps.read,
        (Kind.DEFINITION, "PUT"): apps.put,
        (Kind.DEFINITION, "DELETE"): apps.delete,
    }
