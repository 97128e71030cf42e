"""How our own types appear in OpenAPI."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import Direction
from pydantic import BaseModel, Field

from fedcore.sites.base import Answer, Asked
from fedcore.spec import RunSpec, SweepSpec
from webapp.api.refusals import REFERENCE, refusals_of

_REF = "#/components/schemas/"
_MESSAGE = "Message"


class Error(BaseModel):
    """Every error, whatever its cause."""

    code: str = Field(description="Stable name, for programs.")
    message: str = Field(description="One sentence, for people.")
    fields: dict[str, list[str]] = Field(
        description="What is wrong, by path of the field; empty where no field is to blame."
    )


class RoundhouseSchema(AutoSchema):
    """Adds to every operation how it refuses, and the one shape of all errors."""

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        operation = super().get_operation(*args, **kwargs)
        if operation is not None:
            for status in refusals_of(self.view, self.path, self.method, operation):
                operation["responses"].setdefault(status, REFERENCE)
        return operation

    def _get_response_bodies(self, direction: Direction = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        bodies.setdefault("default", _json_body("Error"))
        _register(self, "Error", _schema_of(Error, self, suffix="", mode="serialization"))
        return bodies


class _PydanticExtension(OpenApiSerializerExtension):
    """Pydantic models, complete as the server sends them."""

    target_class = "pydantic.BaseModel"
    match_subclasses = True
    priority = 1

    def get_name(self, auto_schema: AutoSchema, direction: Direction) -> str:
        return str(self.target.__name__)

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        return _schema_of(self.target, auto_schema, suffix="", mode="serialization")


class _AskedBySiteExtension(OpenApiSerializerExtension):
    """What sites send; their messages have names of their own, beside what people see of sites."""

    target_class = "fedcore.sites.base.Asked"
    match_subclasses = True
    priority = 2

    def get_name(self, auto_schema: AutoSchema, direction: Direction) -> str:
        return f"{self.target.__name__}{_MESSAGE}"

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        return _schema_of(self.target, auto_schema, suffix=_MESSAGE, mode="validation")


class _AnsweredToSiteExtension(_AskedBySiteExtension):
    target_class = "fedcore.sites.base.Answer"

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        return _schema_of(self.target, auto_schema, suffix=_MESSAGE, mode="serialization")


class _SpecFieldExtension(OpenApiSerializerFieldExtension):
    """A spec: complete in answers; in requests everything may be left out."""

    target_class = "webapp.api.spec_field.SpecField"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        suffix, mode = ("Input", "validation") if direction == "request" else ("", "serialization")
        schema = _schema_of(RunSpec, auto_schema, suffix=suffix, mode=mode)
        return _register(auto_schema, f"RunSpec{suffix}", schema)


class _SweepFieldExtension(OpenApiSerializerFieldExtension):
    target_class = "webapp.api.spec_field.SweepField"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        schema = _schema_of(SweepSpec, auto_schema, suffix="Input", mode="validation")
        return _register(auto_schema, "SweepSpecInput", schema)


class _PydanticFieldExtension(OpenApiSerializerFieldExtension):
    target_class = "webapp.api.typed_fields.PydanticField"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        model = self.target.model
        schema = _schema_of(model, auto_schema, suffix="", mode="serialization")
        return _register(auto_schema, model.__name__, schema)


class _EnumFieldExtension(OpenApiSerializerFieldExtension):
    target_class = "webapp.api.typed_fields.EnumField"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        enum = self.target.enum
        schema = {"type": "string", "enum": [member.value for member in enum]}
        return _register(auto_schema, enum.__name__, schema)


class _BearerExtension(OpenApiAuthenticationExtension):
    target_class = "webapp.accounts.authentication.BearerTokenAuthentication"
    name = "token"
    priority = 1

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "A token made under tokens/."}


class _SessionExtension(OpenApiAuthenticationExtension):
    target_class = "webapp.accounts.authentication.SessionAuthentication"
    name = "session"
    priority = 1

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "apiKey", "in": "cookie", "name": "roundhouse_session"}


class _SignatureExtension(OpenApiAuthenticationExtension):
    target_class = "webapp.sites.authentication.SignatureAuthentication"
    name = "signature"
    priority = 1

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "Roundhouse-Site, then the site's id, the time, a nonce, the signature.",
        }


def _json_body(name: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"{_REF}{name}"}}}
    return {"description": "What went wrong.", "content": content}


def _schema_of(
    model: type[BaseModel], auto_schema: AutoSchema, *, suffix: str, mode: Any
) -> dict[str, Any]:
    schema = model.model_json_schema(ref_template=f"{_REF}{{model}}{suffix}", mode=mode)
    parts = schema.pop("$defs", {})
    for part in (schema, *parts.values()):
        if mode == "serialization" and "properties" in part:
            part["required"] = list(part["properties"])  # what is sent is complete
    messages = {each.__name__: each for base in (Asked, Answer) for each in base.__subclasses__()}
    for name, part in parts.items():
        # A message within another one is the same as by itself.
        identity = messages.get(name) if suffix == _MESSAGE else None
        _register(auto_schema, f"{name}{suffix}", part, identity)
    return schema


def _register(
    auto_schema: AutoSchema, name: str, schema: dict[str, Any], identity: Any = None
) -> dict[str, Any]:
    component = ResolvedComponent(
        name=name, type=ResolvedComponent.SCHEMA, object=identity or name, schema=schema
    )
    auto_schema.registry.register_on_missing(component)
    return {"$ref": f"{_REF}{name}"}
