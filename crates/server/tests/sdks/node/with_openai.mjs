// OpenAI's SDK, with nothing changed but base URL and key, which it reads from its own variables.

import assert from 'node:assert/strict';
import OpenAI, { toFile } from 'openai';

import { PNG, collect, equal, keyOf, raises, run } from './cases.mjs';

const client = new OpenAI();
const MODEL = 'gpt-4o-mini';
const WEATHER = {
  name: 'get_weather',
  description: 'The weather of a city',
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
};
const IMAGE = `data:image/png;base64,${PNG}`;

const user = (content) => [{ role: 'user', content }];
/** The same client with another virtual key. */
const other = (purpose, options = {}) => client.withOptions({ apiKey: keyOf(purpose), ...options });
const chat = (marker, options = {}, by = client) =>
  by.chat.completions.create({ model: MODEL, messages: user(marker), ...options });
const respond = (marker, options = {}, by = client) =>
  by.responses.create({ model: MODEL, input: marker, ...options });
const textOf = (chunks) => chunks.map((chunk) => chunk.choices[0].delta.content ?? '').join('');

await run({
  async chat_plain() {
    const answer = await chat('[openai-chat/plain] Hi');
    equal(answer.choices[0].message.content, 'Hi 😀, über there/');
    equal([answer.usage.prompt_tokens, answer.usage.completion_tokens], [17, 6]);
    assert.ok(answer._request_id, "the SDK finds the request's id");
  },
  async chat_stream() {
    const chunks = await collect(chat('[openai-chat/stream] Hi', { stream: true }));
    equal(textOf(chunks), 'Hello é😀');
    assert.ok(!chunks.some((chunk) => chunk.usage), 'usage that nobody asked for');
  },
  async chat_stream_usage() {
    const options = { stream: true, stream_options: { include_usage: true } };
    const last = (await collect(chat('[openai-chat/stream-usage] Hi', options))).at(-1);
    equal([last.choices, last.usage.total_tokens], [[], 26]);
  },
  async chat_tools() {
    const tools = [{ type: 'function', function: WEATHER }];
    const { message } = (await chat('[openai-chat/tools] Oslo?', { tools })).choices[0];
    const call = message.tool_calls[0];
    equal([call.function.name, JSON.parse(call.function.arguments)], ['get_weather', { city: 'Oslo' }]);
    const result = { role: 'tool', tool_call_id: call.id, content: '{"celsius": -3.5}' };
    const messages = [...user('[openai-chat/tools-result] Oslo?'), message, result];
    equal((await chat('', { messages, tools })).choices[0].message.content, 'It is −3.5 °C in Oslo.');
  },
  async chat_stream_tools() {
    const tools = [{ type: 'function', function: WEATHER }];
    const stream = client.chat.completions.stream({ model: MODEL, messages: user('[openai-chat/stream-tools] Oslo?'), tools });
    const call = (await stream.finalChatCompletion()).choices[0].message.tool_calls[0];
    equal([call.id, call.function.arguments], ['call_fixture0002', '{"city":"Oslo"}']);
  },
  async chat_images() {
    const parts = [{ type: 'text', text: '[openai-chat/images] What?' }, { type: 'image_url', image_url: { url: IMAGE } }];
    equal((await chat(parts, { max_tokens: 100 })).choices[0].message.content, 'A single pixel.');
  },
  async chat_cached() {
    const { usage } = await chat('[openai-chat/cached] Hi', { model: 'gpt-4o' });
    equal(usage.prompt_tokens_details.cached_tokens, 1920);
  },
  async chat_reasoning() {
    const { usage } = await chat('[openai-chat/reasoning] 17*23?', { model: 'o4-mini', max_completion_tokens: 2000 });
    equal(usage.completion_tokens_details.reasoning_tokens, 192);
  },
  async chat_refusal() {
    const answer = await chat('[openai-chat/refusal] Bad', { model: 'gpt-4o' });
    equal(answer.choices[0].message.refusal, 'I cannot help with that.');
  },
  async chat_long_text() {
    const answer = await chat(`[openai-chat/long-text] ${'日本語😀'.repeat(5000)}`);
    assert.ok(answer.choices[0].message.content.length > 20_000);
  },
  async completions() {
    const ask = (prompt, options = {}) =>
      client.completions.create({ model: 'gpt-3.5-turbo-instruct', prompt, max_tokens: 5, ...options });
    equal((await ask('[openai-completions/plain] Once')).choices[0].text, ' upon a time,');
    const parts = await collect(ask('[openai-completions/stream] Once', { stream: true }));
    equal(parts.map((part) => part.choices[0].text).join(''), ' upon a time');
  },
  async responses_plain() {
    const answer = await respond('[openai-responses/plain] Hi');
    equal([answer.output_text, answer.usage.total_tokens], ['Hi there!', 18]);
  },
  async responses_kept() {
    const answer = await client.responses.retrieve('resp_fixture_plain_0001');
    equal(answer.output_text, 'Hi there!');
    const items = await collect(client.responses.inputItems.list(answer.id));
    equal(items.map((item) => item.id), ['msg_fixture0000']);
    equal((await client.responses.cancel(answer.id)).status, 'cancelled');
    await client.responses.delete(answer.id);
  },
  async responses_stream() {
    const stream = client.responses.stream({ model: MODEL, input: '[openai-responses/stream] Hi' });
    let text = '';
    stream.on('response.output_text.delta', (event) => (text += event.delta));
    const final = await stream.finalResponse();
    equal([text, final.output_text, final.usage.total_tokens], ['Hi there é😀', 'Hi there é😀', 19]);
  },
  async responses_tools() {
    const tools = [{ type: 'function', strict: false, ...WEATHER }];
    const call = (await respond('[openai-responses/tools] Oslo?', { tools })).output[0];
    equal([call.type, JSON.parse(call.arguments)], ['function_call', { city: 'Oslo' }]);
    const result = { type: 'function_call_output', call_id: call.call_id, output: '-3.5' };
    const input = [...user('[openai-responses/tools-result] Oslo?'), call, result];
    equal((await respond('', { input, tools })).output_text, 'It is -3.5 °C in Oslo.');
  },
  async responses_stream_tools() {
    const tools = [{ type: 'function', strict: false, ...WEATHER }];
    const stream = client.responses.stream({ model: MODEL, input: '[openai-responses/stream-tools] Oslo?', tools });
    equal((await stream.finalResponse()).output[0].arguments, '{"city":"Oslo"}');
  },
  async responses_images() {
    const image = { type: 'input_image', image_url: IMAGE, detail: 'low' };
    const input = user([{ type: 'input_text', text: '[openai-responses/images] What?' }, image]);
    equal((await respond('', { input, max_output_tokens: 100 })).output_text, 'A single pixel.');
  },
  async responses_reasoning() {
    const answer = await respond('[openai-responses/reasoning] 17*23?', { model: 'o4-mini' });
    equal(answer.usage.output_tokens_details.reasoning_tokens, 128);
  },
  async responses_refusal() {
    const answer = await respond('[openai-responses/refusal] Bad');
    equal(answer.output[0].content[0].refusal, 'I cannot help with that.');
  },
  async responses_stream_incomplete() {
    const options = { stream: true, max_output_tokens: 16 };
    const last = (await collect(respond('[openai-responses/stream-incomplete] Hi', options))).at(-1);
    equal([last.type, last.response.incomplete_details.reason], ['response.incomplete', 'max_output_tokens']);
  },
  async embeddings() {
    const create = (input, options = {}) => client.embeddings.create({ model: 'text-embedding-3-small', input, ...options });
    const vectors = (answer) => answer.data.map((one) => one.embedding);
    equal(vectors(await create(['[openai-embeddings/batch] one', 'two'])), [[0.5, -0.25], [1, 2]]);
    equal(vectors(await create('[openai-embeddings/plain] a text', { encoding_format: 'float' })), [[0.5, -0.25, 0.001, 0]]);
  },
  async moderations() {
    const input = '[openai-moderations/plain] calm';
    const answer = await client.moderations.create({ model: 'omni-moderation-latest', input });
    equal(answer.results[0].flagged, false);
  },
  async images() {
    const made = await client.images.generate({ model: 'gpt-image-1', prompt: '[openai-images/generation] A pixel' });
    equal([made.data[0].b64_json, made.usage.output_tokens], [PNG, 272]);
    const prompt = '[openai-images/generation-by-piece] A pixel';
    equal((await client.images.generate({ model: 'dall-e-3', prompt })).data[0].url, 'https://images.example/fixture.png');
    const image = await toFile(Buffer.from(PNG, 'base64'), 'one.png', { type: 'image/png' });
    const edited = await client.images.edit({ model: 'gpt-image-1', image, prompt: '[openai-images/edit] Blue' });
    equal(edited.usage.input_tokens_details.image_tokens, 323);
  },
  async audio() {
    const input = '[openai-audio/speech] Hello, world';
    const speech = Buffer.from(await (await client.audio.speech.create({ model: 'tts-1', voice: 'alloy', input })).arrayBuffer());
    equal(speech.subarray(0, 3).toString(), 'ID3');
    const file = () => toFile(Buffer.from('RIFF\x04\x00\x00\x00WAVE', 'latin1'), 'one.wav', { type: 'audio/wav' });
    const write = async (model, prompt) => client.audio.transcriptions.create({ model, prompt, file: await file() });
    equal((await write('gpt-4o-mini-transcribe', '[openai-audio/transcription]')).usage.total_tokens, 52);
    equal((await write('whisper-1', '[openai-audio/transcription-seconds]')).usage.seconds, 9);
    const translation = { model: 'whisper-1', file: await file(), prompt: '[openai-audio/translation]' };
    equal((await client.audio.translations.create(translation)).text, 'Hello.');
  },
  async models() {
    const ids = (await collect(client.models.list())).map((model) => model.id);
    assert.ok(ids.includes(MODEL) || ids.includes(`openai/${MODEL}`), String(ids));
    equal((await client.models.retrieve(MODEL)).id.replace('openai/', ''), MODEL);
  },
  async errors_of_the_provider() {
    for (const [status, kind, code] of [
      [400, OpenAI.BadRequestError, null],
      [401, OpenAI.AuthenticationError, 'invalid_api_key'],
      [404, OpenAI.NotFoundError, 'model_not_found'],
      [429, OpenAI.RateLimitError, 'rate_limit_exceeded'],
      [500, OpenAI.InternalServerError, null],
    ]) {
      const name = `openai-chat/error-${status}`;
      const error = await raises(kind, () => chat(`[${name}] Hi`, {}, other(name, { maxRetries: 0 })));
      equal([error.status, error.code, error.headers.get('x-keyward-error-source')], [status, code, 'provider']);
    }
  },
  async a_provider_without_room_is_asked_again() {
    const answer = await chat('[openai-chat/retried] Hi', {}, other('openai-chat/retried'));
    equal(answer.choices[0].message.content, 'At last');
  },
  async a_wrong_key() {
    const stranger = client.withOptions({ apiKey: 'sk-bf-none' });
    const error = await raises(OpenAI.AuthenticationError, () => chat('', {}, stranger));
    equal([error.code, error.type], ['invalid_api_key', 'invalid_request_error']);
  },
  async a_model_that_is_not_allowed() {
    const error = await raises(OpenAI.PermissionDeniedError, () => chat('', { model: `openai/${MODEL}` }, other('narrow')));
    equal([error.code, error.type], ['model_blocked', 'permission_error']);
  },
  async a_budget_that_is_used_up() {
    const poor = other('poor');
    for (const call of [
      () => chat('', {}, poor),
      () => collect(chat('', { stream: true }, poor)),
      () => respond('', {}, poor),
      () => poor.embeddings.create({ model: 'text-embedding-3-small', input: 'text' }),
    ]) {
      const error = await raises(OpenAI.APIError, call);
      equal([error.status, error.code, error.type], [402, 'budget_exceeded', 'insufficient_quota']);
      assert.match(error.message, /budget/i);
    }
  },
  async a_rate_limit_is_waited_for() {
    // Two may fall on both sides of a window's end; of three, two are within one.
    for (let round = 0; round < 3; round += 1) {
      const answer = await chat('[openai-chat/plain] Hi', {}, other('limited'));
      equal(answer.choices[0].message.content, 'Hi 😀, über there/');
    }
  },
  async a_client_that_leaves() {
    const stream = await chat('[openai-chat/cancelled] Count', { stream: true });
    for await (const chunk of stream) {
      if (chunk.choices[0].delta.content) stream.controller.abort();
    }
    const response = await respond('[openai-responses/cancelled] Count', { stream: true });
    for await (const event of response) {
      if (event.type === 'response.output_text.delta') break;
    }
  },
});
