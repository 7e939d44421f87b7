"""Google's SDK, with nothing changed but base URL and key."""

import base64
import os

from google import genai
from google.genai import errors, types

from cases import KEYS, PNG, case, equal, raises, run

URL = os.environ["GENAI_BASE_URL"]
MODEL = "gemini-2.5-flash"


def client_of(key, retries=1):
    retry = types.HttpRetryOptions(attempts=retries, initial_delay=0.5, jitter=0.1)
    return genai.Client(api_key=key, http_options=types.HttpOptions(base_url=URL, retry_options=retry))


client = client_of(os.environ["GENAI_API_KEY"])
WEATHER = types.Tool(
    function_declarations=[
        types.FunctionDeclaration(
            name="get_weather",
            description="The weather of a city",
            parameters=types.Schema(type="OBJECT", properties={"city": types.Schema(type="STRING")}, required=["city"]),
        )
    ]
)
MANUAL = types.GenerateContentConfig(
    tools=[WEATHER], automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True)
)


def ask(contents, with_client=client, **options):
    return with_client.models.generate_content(**({"model": MODEL, "contents": contents} | options))


def stream(contents, with_client=client, **options):
    return with_client.models.generate_content_stream(model=MODEL, contents=contents, **options)


@case
def plain():
    answer = ask("[gemini-generate/plain] Hi")
    equal((answer.text, answer.candidates[0].finish_reason), ("Hi 😀/", types.FinishReason.STOP))
    equal((answer.usage_metadata.prompt_token_count, answer.usage_metadata.candidates_token_count), (11, 4))


@case
def streamed():
    chunks = list(stream("[gemini-stream/sse] Hi"))
    equal("".join(chunk.text for chunk in chunks), "Hi there é😀!")
    equal(chunks[-1].usage_metadata.total_token_count, 16)


@case
def tools():
    answer = ask("[gemini-generate/tools] Oslo?", config=MANUAL)
    call = answer.function_calls[0]
    equal((call.name, call.args), ("get_weather", {"city": "Oslo"}))
    turn = [
        types.Content(role="user", parts=[types.Part(text="[gemini-generate/tools-result] Oslo?")]),
        answer.candidates[0].content,
        types.Content(role="user", parts=[types.Part.from_function_response(name=call.name, response={"celsius": -3.5})]),
    ]
    equal(ask(turn, config=MANUAL).text, "It is -3.5 °C in Oslo.")


@case
def streamed_tools():
    first, *_ = stream("[gemini-stream/sse-tools] Oslo?", config=MANUAL)
    equal(first.function_calls[0].args, {"city": "Oslo"})


@case
def images():
    image = types.Part.from_bytes(data=base64.b64decode(PNG), mime_type="image/png")
    equal(ask(["[gemini-generate/images] What?", image]).text, "A single pixel.")


@case
def cached():
    equal(ask("[gemini-generate/cached] Hi").usage_metadata.cached_content_token_count, 2048)


@case
def thinking():
    config = types.GenerateContentConfig(thinking_config=types.ThinkingConfig(include_thoughts=True))
    answer = ask("[gemini-generate/thinking] 17*23?", config=config)
    equal(([part.thought for part in answer.candidates[0].content.parts], answer.text), ([True, None], "391"))
    *_, last = stream("[gemini-stream/sse-thinking] 17*23?", config=config)
    equal(last.usage_metadata.thoughts_token_count, 217)


@case
def blocked():
    answer = ask("[gemini-generate/blocked] Bad")
    equal(answer.prompt_feedback.block_reason, types.BlockedReason.PROHIBITED_CONTENT)


@case
def embeddings():
    answer = client.models.embed_content(model="gemini-embedding-001", contents=["[gemini-embed/batch] one", "two"])
    equal([one.values for one in answer.embeddings], [[0.5, -0.25], [1.0, 2.0]])


@case
def counting():
    equal(client.models.count_tokens(model=MODEL, contents="[gemini-count-tokens/plain] Hi").total_tokens, 31)


@case
def models():
    names = [model.name for model in client.models.list()]
    assert any(MODEL in name for name in names), names
    assert MODEL in client.models.get(model=MODEL).name


@case
def errors_of_the_provider():
    for status, kind, word in [
        (400, errors.ClientError, "INVALID_ARGUMENT"),
        (401, errors.ClientError, "UNAUTHENTICATED"),
        (404, errors.ClientError, "NOT_FOUND"),
        (429, errors.ClientError, "RESOURCE_EXHAUSTED"),
        (500, errors.ServerError, "INTERNAL"),
        (503, errors.ServerError, "UNAVAILABLE"),
    ]:
        name = f"gemini-generate/error-{status}"
        own = client_of(KEYS[name])
        error = raises(kind, lambda: ask(f"[{name}] Hi", own))
        equal((error.code, error.status), (status, word))
    # A client closes its connections when nobody holds it any more, also in the middle of a stream.
    own = client_of(KEYS["gemini-stream/error-429"])
    error = raises(errors.ClientError, lambda: list(stream("[gemini-stream/error-429] Hi", own)))
    equal((error.code, error.status), (429, "RESOURCE_EXHAUSTED"))


@case
def a_provider_without_room_is_asked_again():
    equal(ask("[gemini-generate/retried] Hi", client_of(KEYS["gemini-generate/retried"], retries=5)).text, "At last")


@case
def a_wrong_key():
    error = raises(errors.ClientError, lambda: ask("", client_of("sk-bf-none")))
    equal((error.code, error.status), (401, "UNAUTHENTICATED"))
    assert error.message, error.details


@case
def a_model_that_is_not_allowed():
    error = raises(errors.ClientError, lambda: ask("", client_of(KEYS["narrow"])))
    equal((error.code, error.status), (403, "PERMISSION_DENIED"))


@case
def a_budget_that_is_used_up():
    poor = client_of(KEYS["poor"], retries=3)
    for call in (lambda: ask("", poor), lambda: list(stream("", poor))):
        error = raises(errors.ClientError, call)
        equal(error.code, 402)
        assert "budget" in error.message.lower(), error.details
        assert "budget_exceeded" in str(error.details), error.details


@case
def a_rate_limit_is_waited_for():
    limited = client_of(KEYS["limited"], retries=6)
    # Two may fall on both sides of a window's end; of three, two are within one.
    for _ in range(3):
        equal(ask("[gemini-generate/plain] Hi", limited).text, "Hi 😀/")


@case
def a_client_that_leaves():
    chunks = stream("[gemini-stream/cancelled] Count")
    equal(next(iter(chunks)).text, "Hi")
    chunks.close()


run()
