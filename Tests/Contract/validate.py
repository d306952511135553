#!/usr/bin/env python3
"""Checks the daemon's interfaces with validators that nobody here wrote.

  validate.py documents                     the AsyncAPI and OpenAPI documents and every JSON Schema are valid themselves
  validate.py records FILE...               lines of `switchyard events --output json`: headers are CloudEvents, data fits
                                            its schema, every type is known; settlements balance
  validate.py commands FILE...              lines of `switchyard send` that must be accepted fit their schemas
  validate.py http BASE                     answers of a running daemon fit the OpenAPI document

Prints one line per kind of check and exits with 1 at the first thing that does not fit, saying what and why.
"""
import json
import pathlib
import sys
import urllib.error
import urllib.parse
import urllib.request

TOP = pathlib.Path(__file__).resolve().parents[2]
RESOURCES = TOP / "Sources/MessageCodec/MessageCodec.docc/Resources"
OPENAPI = TOP / "Sources/Operations/Operations.docc/Resources/openapi.yaml"


# What the scenario of deploy/lib/contract must have brought about, or it judges less than it says.
EXPECTED = set(
    """attempt.accepted attempt.in-doubt attempt.rejected attempt.resolved attempt.retried attempt.started
    command.accepted command.rejected ledger.posted offload.entered payment.action-required payment.authorized
    payment.captured payment.failed payment.received payment.refunded payment.voided payout.cancelled payout.failed
    payout.received payout.returned payout.settled payout.submitted route.selected screening.blocked screening.held
    screening.passed screening.released""".split()
) | {"dead letter"}

# Members that the contract, section 3, names for a type and that are always there.
MEMBERS = {
    "attempt.in-doubt": ["attemptId", "cause"],
    "attempt.rejected": ["attemptId", "code", "mayGoElsewhere"],
    "attempt.resolved": ["attemptId", "outcome", "evidence"],
    "attempt.retried": ["attemptId", "try", "sendDeadline"],
    "attempt.started": [
        "attemptId", "operation", "partner", "rail", "role", "reference", "amount", "idempotencyKey", "sendDeadline",
    ],
    "command.accepted": ["commandId", "commandSource", "commandType"],
    "command.rejected": ["commandId", "commandSource", "commandType", "code", "message"],
    "ledger.posted": ["postingId", "paymentId", "attemptId", "kind", "valueDate", "partner", "rail", "entries"],
    "offload.entered": ["offloadId", "lane", "owner", "deadline", "releaseRule"],
    "payment.action-required": ["attemptId", "redirectUrl"],
    "payment.captured": ["attemptId", "operationId", "amount", "valueDate", "evidence"],
    "payment.failed": ["code"],
    "payment.refunded": ["attemptId", "operationId", "amount", "valueDate", "evidence"],
    "payout.failed": ["code"],
    "payout.returned": ["attemptId", "code", "amount", "valueDate", "evidence"],
    "payout.settled": ["attemptId", "settledAmount", "valueDate", "evidence"],
    "route.selected": ["policyVersion", "candidates", "eliminated"],
    "screening.held": ["holdId", "owner", "deadline"],
    "screening.released": ["holdId", "operator"],
}


def fail(message):
    print(f"contract: {message[:1000]}", file=sys.stderr)
    sys.exit(1)


def schemas():
    from jsonschema import Draft202012Validator
    from referencing import Registry, Resource

    loaded = {path.stem: json.loads(path.read_text()) for path in sorted((RESOURCES / "schemas").glob("*.json"))}
    registry = Registry().with_resources(
        [(schema["$id"], Resource.from_contents(schema)) for schema in loaded.values()]
    )
    for name, schema in loaded.items():
        Draft202012Validator.check_schema(schema)
    return {
        name: Draft202012Validator(schema, registry=registry, format_checker=Draft202012Validator.FORMAT_CHECKER)
        for name, schema in loaded.items()
    }


def short(kind):
    prefix, suffix = "io.switchyard.", ".v1"
    if not (kind.startswith(prefix) and kind.endswith(suffix)):
        fail(f"type {kind!r} is not ours")
    return kind[len(prefix) : -len(suffix)]


def lines(paths):
    for path in paths:
        for number, line in enumerate(pathlib.Path(path).read_text().splitlines(), 1):
            if line.strip():
                yield f"{path}:{number}", json.loads(line)


def documents(_):
    import yaml
    from jsonschema import Draft7Validator
    from openapi_spec_validator import validate

    found = schemas()
    asyncapi = json.loads((RESOURCES / "asyncapi.json").read_text())
    schema = json.loads((TOP / "Tests/Contract/fixtures/asyncapi-3.0.0-without-id.json").read_text())
    errors = sorted(Draft7Validator(schema).iter_errors(asyncapi), key=lambda e: list(e.path))
    if errors:
        fail(f"asyncapi.json: {list(errors[0].path)}: {errors[0].message[:300]}")
    for name, message in asyncapi["components"]["messages"].items():
        target = message["payload"].get("$ref")
        if target and not (RESOURCES / target).exists():
            fail(f"asyncapi.json: message {name} refers to {target}, which does not exist")
    validate(yaml.safe_load(OPENAPI.read_text()))
    print(f"contract: {len(found)} schemas, the AsyncAPI and the OpenAPI document are valid")


def records(paths):
    from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
    from cloudevents.core.formats.json import JSONFormat

    validators = schemas()
    seen = {}
    samples = {}
    for place, record in lines(paths):
        topic = record["topic"].rsplit(".", 1)[-1]
        if topic == "dead-letters":
            for header in ("error-code", "error-detail", "source-topic", "source-partition", "source-offset"):
                if header not in record["headers"]:
                    fail(f"{place}: a dead letter without {header}")
            seen["dead letter"] = seen.get("dead letter", 0) + 1
            continue
        value = json.dumps(record["data"]).encode()
        headers = {name: text.encode() for name, text in record["headers"].items()}
        try:
            event = from_binary(KafkaMessage(headers, record["key"], value), JSONFormat())
        except Exception as error:
            fail(f"{place}: not a CloudEvent: {error}")
        if topic in ("events", "commands") and event.get_subject() != record["key"]:
            fail(f"{place}: the subject is not the key")
        name = short(event.get_type())
        if name not in validators:
            fail(f"{place}: no schema for {name}")
        for error in validators[name].iter_errors(record["data"]):
            fail(f"{place}: {name}: {'/'.join(map(str, error.path))}: {error.message[:300]}")
        if name == "ledger.posted":
            sums = {}
            for entry in record["data"]["entries"]:
                sign = 1 if entry["side"] == "debit" else -1
                currency = entry["amount"]["currency"]
                sums[currency] = sums.get(currency, 0) + sign * entry["amount"]["minorUnits"]
            if any(sums.values()):
                fail(f"{place}: off balance {sums}")
        if topic == "events" and event.get_id() != f"{record['key']}-{record['data']['sequence']}":
            if record["data"]["sequence"] != 0:
                fail(f"{place}: id {event.get_id()} is not payment and sequence")
        seen[name] = seen.get(name, 0) + 1
        samples.setdefault(name, record["data"])
    missing = EXPECTED - seen.keys()
    if missing:
        fail(f"the scenario brought about no {', '.join(sorted(missing))}")
    refuses(validators, samples)
    print(f"contract: {sum(seen.values())} records of {len(seen)} types fit: " + ", ".join(sorted(seen)))


def refuses(validators, samples):
    """A schema that takes everything proves nothing: each must miss every member that the contract names."""
    tried = 0
    for name, data in samples.items():
        if "state" in data:
            wrong = dict(data, state="nowhere")
            if validators[name].is_valid(wrong):
                fail(f"schema {name} takes a state that does not exist")
        for member in MEMBERS.get(name, ()):
            if member not in data:
                fail(f"{name}: a record without {member}")
            if validators[name].is_valid({key: value for key, value in data.items() if key != member}):
                fail(f"schema {name} does not miss {member}")
            tried += 1
    print(f"contract: the schemas miss each of {tried} members that were taken out")


def commands(paths):
    validators = schemas()
    count = 0
    for place, line in lines(paths):
        kind = line["type"]
        name = short(kind) if kind.startswith("io.") else kind
        if name not in validators:
            fail(f"{place}: no schema for {name}")
        for error in validators[name].iter_errors(line["data"]):
            fail(f"{place}: {name}: {'/'.join(map(str, error.path))}: {error.message[:300]}")
        count += 1
    print(f"contract: {count} commands fit")


def http(arguments):
    import yaml
    from openapi_core import Config, OpenAPI
    from openapi_core.testing import MockRequest, MockResponse

    base = arguments[0].rstrip("/")
    spec = yaml.safe_load(OPENAPI.read_text())
    spec["servers"] = [{"url": base}]
    deserializers = {"application/problem+json": json.loads, "application/x-ndjson": bytes.decode}
    api = OpenAPI.from_dict(spec, config=Config(extra_media_type_deserializers=deserializers))

    def call(method, path, query="", body=None, content="application/json"):
        url = base + path + (f"?{query}" if query else "")
        request = urllib.request.Request(url, data=body, method=method)
        if body is not None:
            request.add_header("Content-Type", content)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read()

    def check(method, pattern, path, query="", body=None, expected=None, view=None):
        status, headers, payload = call(method, path, query, body)
        if expected and status not in expected:
            fail(f"{method} {path}: status {status}, expected {expected}: {payload[:200]}")
        kind = headers.get("Content-Type", "application/json").split(";")[0]
        if kind == "application/x-ndjson" and not payload:
            return payload  # No records in that partition: no data to judge.
        request = MockRequest(
            base, method.lower(), path, path_pattern=pattern, view_args=view or {},
            args=dict(urllib.parse.parse_qsl(query)), content_type="application/json", data=body,
        )
        response = MockResponse(payload, status_code=status, headers=headers, content_type=kind)
        try:
            api.validate_response(request, response)
        except Exception as error:
            fail(f"{method} {path} → {status} {kind}: {error}: {getattr(error, '__cause__', '')} {payload[:300]}")
        return payload

    check("GET", "/healthz", "/healthz", expected=[200])
    check("GET", "/readyz", "/readyz", expected=[200])
    check("GET", "/metrics", "/metrics", expected=[200])
    check("GET", "/v1/routes", "/v1/routes", expected=[200])
    listed = json.loads(check("GET", "/v1/payments", "/v1/payments", "limit=5", expected=[200]))
    check("GET", "/v1/payments", "/v1/payments", "state=settled&limit=3", expected=[200])
    check("GET", "/v1/payments", "/v1/payments", "state=nonsense", expected=[400])
    for row in listed["payments"][:3]:
        name = urllib.parse.quote(row["paymentId"], safe="")
        check("GET", "/v1/payments/{id}", f"/v1/payments/{name}", expected=[200], view={"id": row["paymentId"]})
    check("GET", "/v1/payments/{id}", "/v1/payments/no-such", expected=[404], view={"id": "no-such"})
    check("POST", "/v1/commands", "/v1/commands", body=b"not json", expected=[400])
    check(
        "GET", "/v1/commands/{source}/{id}", "/v1/commands/a/b", "subject=no-such", expected=[404],
        view={"source": "a", "id": "b"},
    )
    for topic in ("events", "settlements", "dead-letters"):
        check(
            "GET", "/v1/records/{topic}", f"/v1/records/{topic}", "partition=0&limit=5", expected=[200],
            view={"topic": topic},
        )
    check(
        "GET", "/v1/records/{topic}", "/v1/records/events", "partition=9999", expected=[400], view={"topic": "events"},
    )
    command = {"type": "payout.cancel", "id": "judge-1", "subject": "judged", "data": {"reason": "asked by the judge"}}
    check("POST", "/v1/commands", "/v1/commands", body=json.dumps(command).encode(), expected=[202])
    check("POST", "/v1/commands", "/v1/commands", body=b" " * 400_000, expected=[413])
    check("GET", "/v1/forged-notifications", "/v1/forged-notifications", "limit=5", expected=[200])
    check(
        "POST", "/v1/notifications/{partner}", "/v1/notifications/bank-a", body=b"{}", expected=[401],
        view={"partner": "bank-a"},
    )
    print("contract: the answers over HTTP fit the OpenAPI document")


if __name__ == "__main__":
    kinds = {"documents": documents, "records": records, "commands": commands, "http": http}
    if len(sys.argv) < 2 or sys.argv[1] not in kinds:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    kinds[sys.argv[1]](sys.argv[2:])
