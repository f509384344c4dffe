"""NamespaceExists refuses what is to be in a namespace that is not there; NamespaceAutoProvision makes the namespace instead."""

from proa.api.errors import AlreadyExists, NotFound
from proa.apiserver.interface import Attributes, ObjectReader, ObjectWriter, PassiveAdmission

NAMESPACES = ("", "namespaces")


class NamespaceExists(PassiveAdmission):
    name = "NamespaceExists"

    def __init__(self, reader: ObjectReader) -> None:
        self._reader = reader

    async def validate(self, attributes: Attributes) -> None:
        if not attributes.namespace or attributes.group_resource == NAMESPACES or attributes.operation == "CONNECT":
            return
        if self._reader.get("", "namespaces", attributes.namespace) is None:
            raise NotFound.of("", "namespaces", attributes.namespace)


class NamespaceAutoProvision(PassiveAdmission):
    name = "NamespaceAutoProvision"

    def __init__(self, reader: ObjectReader, writer: ObjectWriter) -> None:
        self._reader, self._writer = reader, writer

    async def admit(self, attributes: Attributes) -> None:
        if attributes.dry_run or attributes.operation != "CREATE" or not attributes.namespace or attributes.group_resource == NAMESPACES:
            return
        if self._reader.get("", "namespaces", attributes.namespace) is not None:
            return
        try:
            await self._writer.request("POST", "/api/v1/namespaces", {"metadata": {"name": attributes.namespace}})
        except AlreadyExists:
            return
