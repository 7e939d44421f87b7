// Anthropic's SDK, with nothing changed but base URL and key, which it reads from its own variables.

import assert from 'node:assert/strict';
import Anthropic from '@anthropic-ai/sdk';

import { PNG, collect, equal, keyOf, raises, run } from './cases.mjs';

const client = new Anthropic();
const MODEL = 'claude-haiku-4-5';
const THINKER = 'claude-sonnet-4-6';
const tools = [
  {
    name: 'get_weather',
    description: 'The weather of a city',
    input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
];

const user = (content) => [{ role: 'user', content }];
/** The same client with another virtual key. */
const other = (purpose, options = {}) => client.withOptions({ apiKey: keyOf(purpose), ...options });
const asked = (marker, options) => ({ model: MODEL, max_tokens: 64, messages: user(marker), ...options });
const ask = (marker, options = {}, by = client) => by.messages.create(asked(marker, options));
const stream = (marker, options = {}, by = client) => by.messages.stream(asked(marker, options));

await run({
  async plain() {
    const answer = await ask('[anthropic-messages/plain] Hi');
    equal([answer.content[0].text, answer.stop_reason, answer.usage.output_tokens], ['Hi 😀/', 'end_turn', 6]);
    assert.ok(answer._request_id, "the SDK finds the request's id");
  },
  async streamed() {
    const events = stream('[anthropic-messages/stream] Hi');
    let text = '';
    events.on('text', (piece) => (text += piece));
    const { usage } = await events.finalMessage();
    equal([text, usage.input_tokens, usage.output_tokens], ['Hi there é😀', 15, 9]);
  },
  async tools() {
    const answer = await ask('[anthropic-messages/tools] Oslo?', { tools, max_tokens: 200 });
    const call = answer.content[1];
    equal([answer.stop_reason, call.name, call.input], ['tool_use', 'get_weather', { city: 'Oslo' }]);
    const messages = [
      ...user('[anthropic-messages/tools-result] Oslo?'),
      { role: 'assistant', content: answer.content },
      ...user([{ type: 'tool_result', tool_use_id: call.id, content: '-3.5 degrees' }]),
    ];
    equal((await ask('', { messages, tools })).content[0].text, 'It is -3.5 °C in Oslo.');
  },
  async streamed_tools() {
    const call = (await stream('[anthropic-messages/stream-tools] Oslo?', { tools }).finalMessage()).content[1];
    equal([call.id, call.input], ['toolu_fixture0002', { city: 'Oslo' }]);
  },
  async images() {
    const source = { type: 'base64', media_type: 'image/png', data: PNG };
    const parts = [{ type: 'image', source }, { type: 'text', text: '[anthropic-messages/images] What?' }];
    equal((await ask(parts)).content[0].text, 'A single pixel.');
  },
  async cached() {
    const text = '[anthropic-messages/cached] Hi';
    const { usage } = await ask([{ type: 'text', text, cache_control: { type: 'ephemeral' } }]);
    equal([usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens], [3, 2048, 1272]);
  },
  async thinking() {
    const options = { model: THINKER, max_tokens: 4000, thinking: { type: 'enabled', budget_tokens: 1024 } };
    const answer = await ask('[anthropic-messages/thinking] 17*23?', options);
    equal(answer.content.map((block) => block.type), ['thinking', 'text']);
    const thought = (await stream('[anthropic-messages/stream-thinking] 17*23?', options).finalMessage()).content[0];
    equal([thought.thinking, thought.signature], ['17*23 = 391.', 'ZmFrZS1zaWduYXR1cmU=']);
  },
  async refusal() {
    equal((await ask('[anthropic-messages/refusal] Bad', { model: THINKER })).stop_reason, 'refusal');
  },
  async long_text() {
    const answer = await ask(`[anthropic-messages/long-text] ${'日本語😀'.repeat(5000)}`);
    assert.ok(answer.content[0].text.length > 20_000);
  },
  async counting() {
    const messages = user('[anthropic-count-tokens/plain] Hi');
    equal((await client.messages.countTokens({ model: MODEL, messages })).input_tokens, 2095);
  },
  async models() {
    const ids = (await collect(client.models.list())).map((model) => model.id);
    assert.ok(ids.some((id) => id.includes(MODEL)), String(ids));
    equal((await client.models.retrieve(MODEL)).id, MODEL);
  },
  async a_stream_that_breaks_off() {
    const error = await raises(Anthropic.APIError, () => stream('[anthropic-messages/stream-error] Hi').finalMessage());
    equal(error.error.error.type, 'overloaded_error');
  },
  async errors_of_the_provider() {
    for (const [status, kind, type] of [
      [400, Anthropic.BadRequestError, 'invalid_request_error'],
      [401, Anthropic.AuthenticationError, 'authentication_error'],
      [404, Anthropic.NotFoundError, 'not_found_error'],
      [429, Anthropic.RateLimitError, 'rate_limit_error'],
      [500, Anthropic.InternalServerError, 'api_error'],
      [529, Anthropic.OverloadedError, 'overloaded_error'],
    ]) {
      const name = `anthropic-messages/error-${status}`;
      const error = await raises(kind, () => ask(`[${name}] Hi`, {}, other(name, { maxRetries: 0 })));
      equal([error.status, error.type, error.headers.get('x-keyward-error-source')], [status, type, 'provider']);
    }
  },
  async a_provider_without_room_is_asked_again() {
    const answer = await ask('[anthropic-messages/retried] Hi', {}, other('anthropic-messages/retried'));
    equal(answer.content[0].text, 'At last');
  },
  async a_wrong_key() {
    const stranger = client.withOptions({ apiKey: 'sk-bf-none' });
    equal((await raises(Anthropic.AuthenticationError, () => ask('', {}, stranger))).type, 'authentication_error');
  },
  async a_model_that_is_not_allowed() {
    equal((await raises(Anthropic.PermissionDeniedError, () => ask('', {}, other('narrow')))).type, 'permission_error');
  },
  async a_budget_that_is_used_up() {
    for (const call of [() => ask('', {}, other('poor')), () => stream('', {}, other('poor')).finalMessage()]) {
      const error = await raises(Anthropic.PaymentRequiredError, call);
      equal([error.status, error.error.type], [402, 'error']);
      assert.match(error.error.error.message, /budget/i);
      assert.match(JSON.stringify(error.error), /budget_exceeded/);
    }
  },
  async a_rate_limit_is_waited_for() {
    // Two may fall on both sides of a window's end; of three, two are within one.
    for (let round = 0; round < 3; round += 1) {
      equal((await ask('[anthropic-messages/plain] Hi', {}, other('limited'))).content[0].text, 'Hi 😀/');
    }
  },
  async a_client_that_leaves() {
    const events = stream('[anthropic-messages/cancelled] Count');
    for await (const event of events) {
      if (event.type === 'content_block_delta') break;
    }
  },
});
