"""OpenAI's SDK, with nothing changed but base URL and key, which it reads from its own variables."""

import base64
import json
import struct

import openai
from openai import OpenAI
from pydantic import BaseModel

from cases import KEYS, PNG, case, equal, raises, run

client = OpenAI()
MODEL = "gpt-4o-mini"
WEATHER = {
    "name": "get_weather",
    "description": "The weather of a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
IMAGE = f"data:image/png;base64,{PNG}"


def user(text):
    return [{"role": "user", "content": text}]


def other(key, **options):
    """The same client with another virtual key."""
    return client.with_options(api_key=KEYS[key], **options)


def chat(marker, with_client=client, **options):
    options = {"model": MODEL, "messages": user(marker)} | options
    return with_client.chat.completions.create(**options)


def counts(usage):
    return usage.prompt_tokens, usage.completion_tokens


@case
def chat_plain():
    answer = chat("[openai-chat/plain] Hi")
    equal(answer.choices[0].message.content, "Hi 😀, über there/")
    equal(answer.choices[0].finish_reason, "stop")
    equal(counts(answer.usage), (17, 6))
    assert answer._request_id, "the SDK finds the request's id"


@case
def chat_stream():
    chunks = list(chat("[openai-chat/stream] Hi", stream=True))
    equal("".join(chunk.choices[0].delta.content or "" for chunk in chunks), "Hello é😀")
    assert all(chunk.usage is None for chunk in chunks), "usage that nobody asked for"


@case
def chat_stream_usage():
    chunks = list(chat("[openai-chat/stream-usage] Hi", stream=True, stream_options={"include_usage": True}))
    equal((chunks[-1].choices, counts(chunks[-1].usage)), ([], (21, 5)))


@case
def chat_tools():
    tools = [{"type": "function", "function": WEATHER}]
    call = chat("[openai-chat/tools] Oslo?", tools=tools).choices[0].message.tool_calls[0]
    equal((call.function.name, json.loads(call.function.arguments)), ("get_weather", {"city": "Oslo"}))
    turn = [
        *user("[openai-chat/tools-result] Oslo?"),
        {"role": "assistant", "tool_calls": [call.model_dump()]},
        {"role": "tool", "tool_call_id": call.id, "content": '{"celsius": -3.5}'},
    ]
    equal(chat("", messages=turn, tools=tools).choices[0].message.content, "It is −3.5 °C in Oslo.")


@case
def chat_stream_tools():
    tools = [{"type": "function", "function": WEATHER}]
    with client.chat.completions.stream(model=MODEL, messages=user("[openai-chat/stream-tools] Oslo?"), tools=tools) as stream:
        call = stream.get_final_completion().choices[0].message.tool_calls[0]
    equal((call.id, call.function.name, call.function.arguments), ("call_fixture0002", "get_weather", '{"city":"Oslo"}'))


@case
def chat_images():
    parts = [{"type": "text", "text": "[openai-chat/images] What?"}, {"type": "image_url", "image_url": {"url": IMAGE}}]
    equal(chat("", messages=user(parts), max_tokens=100).choices[0].message.content, "A single pixel.")


@case
def chat_cached():
    usage = chat("[openai-chat/cached] Hi", model="gpt-4o").usage
    equal((usage.prompt_tokens, usage.prompt_tokens_details.cached_tokens), (2006, 1920))


@case
def chat_reasoning():
    answer = chat("[openai-chat/reasoning] 17*23?", model="o4-mini", max_completion_tokens=2000)
    equal(answer.usage.completion_tokens_details.reasoning_tokens, 192)


@case
def chat_refusal():
    class Steps(BaseModel):
        steps: list[str]

    message = client.chat.completions.parse(
        model="gpt-4o", messages=user("[openai-chat/refusal] Bad"), response_format=Steps
    ).choices[0].message
    equal((message.parsed, message.refusal), (None, "I cannot help with that."))


@case
def completions():
    ask = lambda text, **options: client.completions.create(
        model="gpt-3.5-turbo-instruct", prompt=text, max_tokens=5, **options
    )
    equal(ask("[openai-completions/plain] Once").choices[0].text, " upon a time,")
    equal("".join(part.choices[0].text for part in ask("[openai-completions/stream] Once", stream=True)), " upon a time")


def respond(marker, **options):
    return client.responses.create(**({"model": MODEL, "input": marker} | options))


@case
def responses_plain():
    answer = respond("[openai-responses/plain] Hi")
    equal((answer.output_text, answer.usage.input_tokens, answer.usage.output_tokens), ("Hi there!", 14, 4))


@case
def responses_kept():
    answer = client.responses.retrieve("resp_fixture_plain_0001")
    equal(answer.output_text, "Hi there!")
    equal([item.id for item in client.responses.input_items.list(answer.id)], ["msg_fixture0000"])
    equal(client.responses.cancel(answer.id).status, "cancelled")
    client.responses.delete(answer.id)


@case
def responses_stream():
    with client.responses.stream(model=MODEL, input="[openai-responses/stream] Hi") as stream:
        text = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        final = stream.get_final_response()
    equal((text, final.output_text, final.usage.total_tokens), ("Hi there é😀", "Hi there é😀", 19))


@case
def responses_tools():
    tools = [{"type": "function", "strict": False, **WEATHER}]
    call = respond("[openai-responses/tools] Oslo?", tools=tools).output[0]
    equal((call.type, call.name, json.loads(call.arguments)), ("function_call", "get_weather", {"city": "Oslo"}))
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "-3.5"}
    turn = [*user("[openai-responses/tools-result] Oslo?"), call.to_dict(), result]
    equal(respond("", input=turn, tools=tools).output_text, "It is -3.5 °C in Oslo.")


@case
def responses_stream_tools():
    tools = [{"type": "function", "strict": False, **WEATHER}]
    with client.responses.stream(model=MODEL, input="[openai-responses/stream-tools] Oslo?", tools=tools) as stream:
        equal(stream.get_final_response().output[0].arguments, '{"city":"Oslo"}')


@case
def responses_images():
    parts = [{"type": "input_text", "text": "[openai-responses/images] What?"}, {"type": "input_image", "image_url": IMAGE, "detail": "low"}]
    equal(respond("", input=user(parts), max_output_tokens=100).output_text, "A single pixel.")


@case
def responses_reasoning():
    answer = respond("[openai-responses/reasoning] 17*23?", model="o4-mini")
    equal(answer.usage.output_tokens_details.reasoning_tokens, 128)
    equal(answer.output[0].summary[0].text, "Multiplied.")


@case
def responses_refusal():
    equal(respond("[openai-responses/refusal] Bad").output[0].content[0].refusal, "I cannot help with that.")


@case
def responses_stream_incomplete():
    *_, last = respond("[openai-responses/stream-incomplete] Hi", stream=True, max_output_tokens=16)
    equal((last.type, last.response.incomplete_details.reason), ("response.incomplete", "max_output_tokens"))


@case
def embeddings():
    answer = client.embeddings.create(model="text-embedding-3-small", input=["[openai-embeddings/batch] one", "two"])
    equal([one.embedding for one in answer.data], [[0.5, -0.25], [1.0, 2.0]])
    plain = client.embeddings.create(
        model="text-embedding-3-small", input="[openai-embeddings/plain] a text", encoding_format="float"
    )
    equal(plain.data[0].embedding, [0.5, -0.25, 0.001, 0.0])


@case
def moderations():
    answer = client.moderations.create(model="omni-moderation-latest", input="[openai-moderations/plain] calm")
    equal(answer.results[0].flagged, False)


@case
def images():
    made = client.images.generate(model="gpt-image-1", prompt="[openai-images/generation] A pixel", quality="low")
    equal((made.data[0].b64_json, made.usage.output_tokens), (PNG, 272))
    by_piece = client.images.generate(model="dall-e-3", prompt="[openai-images/generation-by-piece] A pixel")
    equal(by_piece.data[0].url, "https://images.example/fixture.png")
    edited = client.images.edit(
        model="gpt-image-1", image=("one.png", base64.b64decode(PNG), "image/png"), prompt="[openai-images/edit] Blue"
    )
    equal(edited.usage.input_tokens_details.image_tokens, 323)


@case
def audio():
    speech = client.audio.speech.create(model="tts-1", voice="alloy", input="[openai-audio/speech] Hello, world")
    assert speech.content.startswith(b"ID3"), speech.content
    wav = ("one.wav", b"RIFF" + struct.pack("<I", 4) + b"WAVE", "audio/wav")
    written = client.audio.transcriptions.create(
        model="gpt-4o-mini-transcribe", file=wav, prompt="[openai-audio/transcription]"
    )
    equal((written.text, written.usage.total_tokens), ("Hello, world.", 52))
    timed = client.audio.transcriptions.create(model="whisper-1", file=wav, prompt="[openai-audio/transcription-seconds]")
    equal((timed.text, timed.usage.seconds), ("Hello, world.", 9))
    translated = client.audio.translations.create(model="whisper-1", file=wav, prompt="[openai-audio/translation]")
    equal(translated.text, "Hello.")


@case
def models():
    ids = [model.id for model in client.models.list()]
    assert "openai/gpt-4o-mini" in ids or MODEL in ids, ids
    equal(client.models.retrieve(MODEL).id.removeprefix("openai/"), MODEL)


@case
def errors_of_the_provider():
    for status, kind, code in [
        (400, openai.BadRequestError, None),
        (401, openai.AuthenticationError, "invalid_api_key"),
        (404, openai.NotFoundError, "model_not_found"),
        (429, openai.RateLimitError, "rate_limit_exceeded"),
        (500, openai.InternalServerError, None),
    ]:
        name = f"openai-chat/error-{status}"
        error = raises(kind, lambda: chat(f"[{name}] Hi", other(name, max_retries=0)))
        equal((error.status_code, error.code), (status, code))
        equal(error.response.headers["x-keyward-error-source"], "provider")


@case
def a_provider_without_room_is_asked_again():
    equal(chat("[openai-chat/retried] Hi", other("openai-chat/retried")).choices[0].message.content, "At last")


@case
def a_wrong_key():
    error = raises(openai.AuthenticationError, lambda: chat("", client.with_options(api_key="sk-bf-none")))
    equal((error.code, error.type), ("invalid_api_key", "invalid_request_error"))


@case
def a_model_that_is_not_allowed():
    error = raises(openai.PermissionDeniedError, lambda: chat("", other("narrow"), model=f"openai/{MODEL}"))
    equal((error.code, error.type), ("model_blocked", "permission_error"))


@case
def a_budget_that_is_used_up():
    for call in (
        lambda: chat("", other("poor")),
        lambda: list(chat("", other("poor"), stream=True)),
        lambda: other("poor").responses.create(model=MODEL, input=""),
        lambda: other("poor").embeddings.create(model="text-embedding-3-small", input="text"),
    ):
        error = raises(openai.APIStatusError, call)
        equal((error.status_code, error.code, error.type), (402, "budget_exceeded", "insufficient_quota"))
        assert "budget" in error.message.lower(), error.message


@case
def a_rate_limit_is_waited_for():
    # Two may fall on both sides of a window's end; of three, two are within one.
    for _ in range(3):
        equal(chat("[openai-chat/plain] Hi", other("limited")).choices[0].message.content, "Hi 😀, über there/")


@case
def a_client_that_leaves():
    with chat("[openai-chat/cancelled] Count", stream=True) as stream:
        next(chunk for chunk in stream if chunk.choices[0].delta.content)
    with respond("[openai-responses/cancelled] Count", stream=True) as stream:
        next(event for event in stream if event.type == "response.output_text.delta")


run()
