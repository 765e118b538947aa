"""Checks tool definitions against the types of the SDKs that take them.

    python check.py FILE

FILE is JSON: an object from shape (`openai`, `openai_strict`, `openai_responses`,
`openai_responses_strict`, `anthropic`, `mcp`) to a list of tools. Exits with 1 and says why if one of
them is not what its SDK takes: an unknown or missing member, a value of another type, a name (of a tool
or of a param) that a provider refuses, an input schema that is no JSON Schema 2020-12, an array without items, or a
strict schema to which the SDK's own rules would add something. Prints how many tools were checked.
"""

import copy
import json
import re
import sys
from typing import get_type_hints

import mcp.types
from anthropic.types import ToolParam
from jsonschema import Draft202012Validator
from openai.lib._pydantic import _ensure_strict_json_schema
from openai.types.chat import ChatCompletionFunctionToolParam
from openai.types.responses import FunctionToolParam
from openai.types.shared_params import FunctionDefinition
from pydantic import TypeAdapter

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
# What Anthropic and Bedrock take as the name of a property at the root of a tool's schema.
PROPERTY = re.compile(r"[a-zA-Z0-9_.-]{1,64}")
# What the providers refuse at the root of a tool's schema.
NOT_AT_THE_ROOT = {"allOf", "anyOf", "oneOf", "not", "enum", "$ref"}


def known(members, allowed):
    assert set(members) <= set(allowed), f"unknown members {set(members) - set(allowed)}"


def typed(kind, tool):
    """Fits the type, and has no member that the type does not know."""
    TypeAdapter(kind).validate_python(tool, strict=True)
    known(tool, get_type_hints(kind))


def arrays(schema):
    """OpenAI refuses an array without items."""
    members = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    if isinstance(schema, dict) and ("array" == schema.get("type") or "array" in list(schema.get("type") or ())):
        assert isinstance(schema.get("items"), dict), f"items of {schema}"
    for member in members:
        arrays(member)


def provider_schema(schema):
    assert schema["type"] == "object" and not NOT_AT_THE_ROOT & set(schema), f"root of {schema}"
    for name in schema["properties"]:
        assert PROPERTY.fullmatch(name), f"the property {name!r} is refused"
    assert set(schema.get("required", ())) <= set(schema["properties"]), f"required of {schema}"
    arrays(schema)
    Draft202012Validator.check_schema(schema)


def openai_schema(schema, strict):
    provider_schema(schema)
    if strict:
        # Works in place; what it adds is what was missing.
        closed = _ensure_strict_json_schema(copy.deepcopy(schema), path=(), root=schema)
        assert closed == schema, f"not strict: {schema}, but {closed}"


def openai(tool):
    typed(ChatCompletionFunctionToolParam, tool)
    function = tool["function"]
    known(function, get_type_hints(FunctionDefinition))
    openai_schema(function["parameters"], function["strict"])
    return function["name"]


def openai_responses(tool):
    typed(FunctionToolParam, tool)
    openai_schema(tool["parameters"], tool["strict"])
    return tool["name"]


def anthropic(tool):
    typed(ToolParam, tool)
    provider_schema(tool["input_schema"])
    return tool["name"]


def wire_names(model):
    return {field.alias or name for name, field in model.model_fields.items()}


def mcp_tool(tool):
    mcp.types.Tool.model_validate(tool)
    known(tool, wire_names(mcp.types.Tool))
    known(tool["annotations"], wire_names(mcp.types.ToolAnnotations))
    provider_schema(tool["inputSchema"])
    return tool["name"]


SHAPES = {
    "openai": openai,
    "openai_strict": openai,
    "openai_responses": openai_responses,
    "openai_responses_strict": openai_responses,
    "anthropic": anthropic,
    "mcp": mcp_tool,
}


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        shapes = json.load(file)
    assert set(shapes) == set(SHAPES), set(shapes) ^ set(SHAPES)
    checked = strict = 0
    for shape, tools in shapes.items():
        names = set()
        for tool in tools:
            try:
                name = SHAPES[shape](tool)
            except Exception as error:
                sys.exit(f"{shape}: {json.dumps(tool)}: {error}")
            if not NAME.fullmatch(name) or name in names:
                sys.exit(f"{shape}: the name {name!r} is refused, or stands twice")
            names.add(name)
            checked += 1
            strict += tool.get("strict", tool.get("function", {}).get("strict", False))
    print(f"checked {checked} tools, {strict} of them strict")


if __name__ == "__main__":
    main()
