// OpenAI's SDK in its Azure form: an endpoint with deployments, and the key in a header of its own.

import assert from 'node:assert/strict';
import OpenAI, { AzureOpenAI } from 'openai';

import { collect, equal, keyOf, raises, run } from './cases.mjs';

const clientOf = (apiKey, options = {}) => new AzureOpenAI({ apiKey, apiVersion: '2024-10-21', ...options });
const client = clientOf(process.env.AZURE_OPENAI_API_KEY);
const MODEL = 'gpt-4o-mini';

const chat = (marker, options = {}, by = client) =>
  by.chat.completions.create({ model: MODEL, messages: [{ role: 'user', content: marker }], ...options });

await run({
  async chat_plain() {
    const answer = await chat('[azure/chat] Hi');
    equal([answer.choices[0].message.content, answer.usage.total_tokens], ['Hi!', 15]);
  },
  async chat_stream() {
    const chunks = await collect(chat('[azure/stream] Hi', { stream: true }));
    equal(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join(''), 'Hi!');
    assert.ok(!chunks.some((chunk) => chunk.usage), 'usage that nobody asked for');
  },
  async chat_tools() {
    const tools = [{ type: 'function', function: { name: 'get_weather', parameters: { type: 'object', properties: {} } } }];
    const call = (await chat('[azure/tools] Oslo?', { tools })).choices[0].message.tool_calls[0];
    equal(JSON.parse(call.function.arguments), { city: 'Oslo' });
  },
  async embeddings() {
    const answer = await client.embeddings.create({ model: 'text-embedding-3-small', input: '[azure/embeddings] a text' });
    equal(answer.data[0].embedding, [0.5, -0.25]);
  },
  async errors_of_the_provider() {
    const limited = clientOf(keyOf('azure/error-429'), { maxRetries: 0 });
    const error = await raises(OpenAI.RateLimitError, () => chat('[azure/error-429] Hi', {}, limited));
    equal([error.code, error.headers.get('x-keyward-error-source')], ['429', 'provider']);
    const filtered = clientOf(keyOf('azure/error-content-filter'));
    const refused = await raises(OpenAI.BadRequestError, () => chat('[azure/error-content-filter] Hi', {}, filtered));
    equal(refused.code, 'content_filter');
  },
  async a_wrong_key() {
    const error = await raises(OpenAI.AuthenticationError, () => chat('', {}, clientOf('sk-bf-none')));
    equal(error.code, 'invalid_api_key');
  },
  async a_budget_that_is_used_up() {
    const error = await raises(OpenAI.APIError, () => chat('', {}, clientOf(keyOf('poor'))));
    equal([error.status, error.code], [402, 'budget_exceeded']);
  },
  async a_client_that_leaves() {
    for await (const chunk of await chat('[azure/cancelled] Count', { stream: true })) {
      if (chunk.choices[0]?.delta.content) break;
    }
  },
});
