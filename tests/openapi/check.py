"""Checks requests against an OpenAPI document, by openapi-core, which is no part of callout.

    python check.py DOCUMENT REQUESTS

REQUESTS has a JSON object a line: what was sent (`method`, `target`, `content_type`, `body`), of which
operation (`path`, `server`), and which values it was made of (`path_params`, `query`, `fields`). The
operation alone is kept of the document, so that a request of another path or method is refused.
openapi-core says whether the request is one that the document describes; then what it read of the request
is compared with the values. Prints how many requests were checked; exits with 1 and says why if
one of them is not what it should be.
"""

import json
import sys
from urllib.parse import parse_qsl, unquote, urlsplit

from openapi_core import Config, OpenAPI
from openapi_core.testing.requests import MockRequest
from werkzeug.datastructures import MultiDict


def text(value):
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def resolved(document, node):
    while "$ref" in node:
        steps, node = node["$ref"].removeprefix("#/").split("/"), document
        for step in steps:
            node = node[step.replace("~1", "/").replace("~0", "~")]
    return node


def writable(document, parameter):
    parameter = resolved(document, parameter)
    if "schema" not in parameter:
        return parameter
    schema = resolved(document, parameter["schema"])
    return {**parameter, "schema": {name: value for name, value in schema.items() if name != "readOnly"}}


def check(document, sent):
    method = sent["method"].lower()
    item = document["paths"][sent["path"]]
    kept = {name: value for name, value in item.items() if name in ("parameters", method)}
    alone = {**document, "paths": {sent["path"]: kept}, "servers": [{"url": sent["server"]}]}
    kept[method] = {name: value for name, value in kept[method].items() if name not in ("servers", "security")}
    # `readOnly` says nothing of a parameter, though some of GitHub's have it: openapi-core takes it for a body's.
    for holder in (kept, kept[method]):
        holder["parameters"] = [writable(document, node) for node in holder.get("parameters", [])]
    target = urlsplit(sent["target"])
    # As a server hands it on: decoded, but for slashes within a segment.
    path = "/".join(unquote(segment).replace("/", "%2F") for segment in target.path.split("/"))
    pairs = parse_qsl(target.query, keep_blank_values=True)
    request = MockRequest(
        sent["server"],
        method,
        path,
        args=MultiDict(pairs),
        headers={"content-type": sent["content_type"]} if sent["content_type"] else {},
        data=sent["body"].encode() if sent["body"] else None,
        content_type=sent["content_type"] or "application/json",
    )
    result = OpenAPI.from_dict(alone, config=Config(spec_validator_cls=None)).unmarshal_request(request)
    result.raise_for_errors()
    # Every query key is one that the document has, with the values that were passed.
    declared = [resolved(document, node) for node in item.get("parameters", []) + item[method].get("parameters", [])]
    names = {node["name"] for node in declared if node["in"] == "query"}
    assert {name for name, _ in pairs} <= names, f"keys {pairs} beside {names}"
    for name, value in sent["query"].items():
        values = value if isinstance(value, list) else [value]
        found = [found for key, found in pairs if key == name]
        assert found == [text(one) for one in values], f"{name}: {found}, not {values}"
        assert name in result.parameters.query, f"{name} is not read"
    # Segments are the path's own, and what was passed where it has a placeholder.
    template, segments = sent["path"].split("/"), target.path.split("/")
    assert len(template) == len(segments), f"{target.path} beside {sent['path']}"
    for part, segment in zip(template, segments):
        for name, value in sent["path_params"].items():
            part = part.replace("{" + name + "}", text(value))
        assert part == unquote(segment), f"{segment} beside {part}"
    if sent["fields"] is not None:
        assert json.loads(sent["body"]) == sent["fields"], f"{sent['body']} is not {sent['fields']}"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        document = json.load(file)
    checked = 0
    faults = []
    with open(sys.argv[2], encoding="utf-8") as file:
        for line in file:
            sent = json.loads(line)
            try:
                check(document, sent)
            except Exception as error:
                cause = error.__cause__ or error.__context__
                faults.append(f"{sent['method']} {sent['path']}: {error!r} {cause or ''}"[:1000])
            checked += 1
    print(f"checked {checked} requests, {len(faults)} of them are not what the document describes")
    if faults:
        sys.exit("\n".join(faults[:20]))


if __name__ == "__main__":
    main()
