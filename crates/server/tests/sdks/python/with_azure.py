"""OpenAI's SDK in its Azure form: an endpoint with deployments, and the key in a header of its own."""

import json
import os

import openai
from openai import AzureOpenAI

from cases import KEYS, case, equal, raises, run

client = AzureOpenAI(azure_endpoint=os.environ["AZURE_OPENAI_ENDPOINT"], api_version="2024-10-21")
MODEL = "gpt-4o-mini"


def chat(marker, with_client=client, **options):
    return with_client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": marker}], **options)


def other(key, **options):
    return client.with_options(api_key=KEYS[key], **options)


@case
def chat_plain():
    answer = chat("[azure/chat] Hi")
    equal((answer.choices[0].message.content, answer.usage.total_tokens), ("Hi!", 15))


@case
def chat_stream():
    chunks = list(chat("[azure/stream] Hi", stream=True))
    equal("".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices), "Hi!")
    assert all(chunk.usage is None for chunk in chunks), "usage that nobody asked for"


@case
def chat_tools():
    tool = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}}
    call = chat("[azure/tools] Oslo?", tools=[tool]).choices[0].message.tool_calls[0]
    equal(json.loads(call.function.arguments), {"city": "Oslo"})


@case
def embeddings():
    answer = client.embeddings.create(model="text-embedding-3-small", input="[azure/embeddings] a text")
    equal(answer.data[0].embedding, [0.5, -0.25])


@case
def errors_of_the_provider():
    name = "azure/error-429"
    error = raises(openai.RateLimitError, lambda: chat(f"[{name}] Hi", other(name, max_retries=0)))
    equal((error.code, error.response.headers["x-keyward-error-source"]), ("429", "provider"))
    name = "azure/error-content-filter"
    error = raises(openai.BadRequestError, lambda: chat(f"[{name}] Hi", other(name)))
    equal(error.code, "content_filter")


@case
def a_wrong_key():
    error = raises(openai.AuthenticationError, lambda: chat("", client.with_options(api_key="sk-bf-none")))
    equal(error.code, "invalid_api_key")


@case
def a_budget_that_is_used_up():
    error = raises(openai.APIStatusError, lambda: chat("", other("poor")))
    equal((error.status_code, error.code), (402, "budget_exceeded"))


@case
def a_client_that_leaves():
    with chat("[azure/cancelled] Count", stream=True) as stream:
        next(chunk for chunk in stream if chunk.choices and chunk.choices[0].delta.content)


run()
