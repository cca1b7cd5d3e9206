"""Documents: read once and kept, found by text, by hash or by a trusted id, as a client's policy allows."""

from engine.documents.finding import Documents
from engine.documents.manifests import ManifestRefused, TrustedDocument, read_manifest
from engine.documents.policies import Policy
from engine.documents.reading import Reading
from engine.documents.stores import MemoryStore, Store, ValkeyStore
from engine.documents.trusted import Listed, Source, Trusted

__all__ = [
    "Documents",
    "Listed",
    "ManifestRefused",
    "MemoryStore",
    "Policy",
    "Reading",
    "Source",
    "Store",
    "Trusted",
    "TrustedDocument",
    "ValkeyStore",
    "read_manifest",
]
