"""Anthropic's SDK, with nothing changed but base URL and key, which it reads from its own variables."""

import anthropic
from anthropic import Anthropic

from cases import KEYS, PNG, case, equal, raises, run

client = Anthropic()
MODEL = "claude-haiku-4-5"
THINKER = "claude-sonnet-4-6"
TOOLS = [
    {
        "name": "get_weather",
        "description": "The weather of a city",
        "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    }
]


def user(content):
    return [{"role": "user", "content": content}]


def other(key, **options):
    """The same client with another virtual key."""
    return client.with_options(api_key=KEYS[key], **options)


def ask(marker, with_client=client, **options):
    options = {"model": MODEL, "max_tokens": 64, "messages": user(marker)} | options
    return with_client.messages.create(**options)


def stream(marker, **options):
    return client.messages.stream(**({"model": MODEL, "max_tokens": 64, "messages": user(marker)} | options))


@case
def plain():
    answer = ask("[anthropic-messages/plain] Hi")
    equal((answer.content[0].text, answer.stop_reason), ("Hi 😀/", "end_turn"))
    equal((answer.usage.input_tokens, answer.usage.output_tokens), (15, 6))
    assert answer._request_id, "the SDK finds the request's id"


@case
def streamed():
    with stream("[anthropic-messages/stream] Hi") as events:
        equal("".join(events.text_stream), "Hi there é😀")
        usage = events.get_final_message().usage
    equal((usage.input_tokens, usage.output_tokens), (15, 9))


@case
def tools():
    answer = ask("[anthropic-messages/tools] Oslo?", tools=TOOLS, max_tokens=200)
    equal(answer.stop_reason, "tool_use")
    call = answer.content[1]
    equal((call.name, call.input), ("get_weather", {"city": "Oslo"}))
    turn = [
        *user("[anthropic-messages/tools-result] Oslo?"),
        {"role": "assistant", "content": answer.content},
        *user([{"type": "tool_result", "tool_use_id": call.id, "content": "-3.5 degrees"}]),
    ]
    equal(ask("", messages=turn, tools=TOOLS).content[0].text, "It is -3.5 °C in Oslo.")


@case
def streamed_tools():
    with stream("[anthropic-messages/stream-tools] Oslo?", tools=TOOLS) as events:
        call = events.get_final_message().content[1]
    equal((call.id, call.input), ("toolu_fixture0002", {"city": "Oslo"}))


@case
def images():
    source = {"type": "base64", "media_type": "image/png", "data": PNG}
    parts = [{"type": "image", "source": source}, {"type": "text", "text": "[anthropic-messages/images] What?"}]
    equal(ask(parts).content[0].text, "A single pixel.")


@case
def cached():
    text = {"type": "text", "text": "[anthropic-messages/cached] Hi", "cache_control": {"type": "ephemeral"}}
    usage = ask([text]).usage
    equal((usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens), (3, 2048, 1272))
    equal(usage.cache_creation.ephemeral_1h_input_tokens, 1024)


@case
def thinking():
    options = {"model": THINKER, "max_tokens": 4000, "thinking": {"type": "enabled", "budget_tokens": 1024}}
    answer = ask("[anthropic-messages/thinking] 17*23?", **options)
    equal([block.type for block in answer.content], ["thinking", "text"])
    with stream("[anthropic-messages/stream-thinking] 17*23?", **options) as events:
        thought = events.get_final_message().content[0]
    equal((thought.thinking, thought.signature), ("17*23 = 391.", "ZmFrZS1zaWduYXR1cmU="))


@case
def refusal():
    equal(ask("[anthropic-messages/refusal] Bad", model=THINKER).stop_reason, "refusal")


@case
def counting():
    counted = client.messages.count_tokens(model=MODEL, messages=user("[anthropic-count-tokens/plain] Hi"))
    equal(counted.input_tokens, 2095)


@case
def models():
    ids = [model.id for model in client.models.list()]
    assert any(MODEL in known for known in ids), ids
    equal(client.models.retrieve(MODEL).id, MODEL)


@case
def a_stream_that_breaks_off():
    def read():
        with stream("[anthropic-messages/stream-error] Hi") as events:
            return list(events)

    try:
        raise AssertionError(f"expected an error, got {read()!r}")
    except anthropic.APIStatusError as error:
        equal(error.type, "overloaded_error")


@case
def errors_of_the_provider():
    for status, kind, name_of_type in [
        (400, anthropic.BadRequestError, "invalid_request_error"),
        (401, anthropic.AuthenticationError, "authentication_error"),
        (404, anthropic.NotFoundError, "not_found_error"),
        (429, anthropic.RateLimitError, "rate_limit_error"),
        (500, anthropic.InternalServerError, "api_error"),
        (529, anthropic.OverloadedError, "overloaded_error"),
    ]:
        name = f"anthropic-messages/error-{status}"
        error = raises(kind, lambda: ask(f"[{name}] Hi", other(name, max_retries=0)))
        equal((error.status_code, error.type), (status, name_of_type))
        equal(error.response.headers["x-keyward-error-source"], "provider")


@case
def a_provider_without_room_is_asked_again():
    equal(ask("[anthropic-messages/retried] Hi", other("anthropic-messages/retried")).content[0].text, "At last")


@case
def a_wrong_key():
    error = raises(anthropic.AuthenticationError, lambda: ask("", client.with_options(api_key="sk-bf-none")))
    equal(error.type, "authentication_error")
    assert error.api_message, error.body


@case
def a_model_that_is_not_allowed():
    error = raises(anthropic.PermissionDeniedError, lambda: ask("", other("narrow")))
    equal(error.type, "permission_error")


@case
def a_budget_that_is_used_up():
    def streamed():
        with other("poor").messages.stream(model=MODEL, max_tokens=64, messages=user("")) as events:
            return list(events)

    for call in (lambda: ask("", other("poor")), streamed):
        error = raises(anthropic.PaymentRequiredError, call)
        equal((error.status_code, error.body["type"]), (402, "error"))
        assert "budget" in error.api_message.lower(), error.body
        assert "budget_exceeded" in str(error.body), error.body


@case
def a_rate_limit_is_waited_for():
    # Two may fall on both sides of a window's end; of three, two are within one.
    for _ in range(3):
        equal(ask("[anthropic-messages/plain] Hi", other("limited")).content[0].text, "Hi 😀/")


@case
def a_client_that_leaves():
    with stream("[anthropic-messages/cancelled] Count") as events:
        next(iter(events.text_stream))


run()
