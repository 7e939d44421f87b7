// Google's SDK, with nothing changed but base URL and key.

import assert from 'node:assert/strict';
import { ApiError, BlockedReason, FinishReason, GoogleGenAI, Type } from '@google/genai';

import { PNG, collect, equal, keyOf, raises, run } from './cases.mjs';

const MODEL = 'gemini-2.5-flash';
const clientOf = (apiKey, attempts) =>
  new GoogleGenAI({
    apiKey,
    httpOptions: { baseUrl: process.env.GENAI_BASE_URL, ...(attempts && { retryOptions: { attempts } }) },
  });
const client = clientOf(process.env.GENAI_API_KEY);
const tools = [
  {
    functionDeclarations: [
      {
        name: 'get_weather',
        description: 'The weather of a city',
        parameters: { type: Type.OBJECT, properties: { city: { type: Type.STRING } }, required: ['city'] },
      },
    ],
  },
];

const ask = (contents, config = {}, by = client) => by.models.generateContent({ model: MODEL, contents, config });
const stream = (contents, config = {}, by = client) =>
  by.models.generateContentStream({ model: MODEL, contents, config });
/** Code, status and text of an error as the provider writes it, which this SDK keeps as a text. */
const told = (error) => JSON.parse(error.message).error;

await run({
  async plain() {
    const answer = await ask('[gemini-generate/plain] Hi');
    equal([answer.text, answer.candidates[0].finishReason], ['Hi 😀/', FinishReason.STOP]);
    equal([answer.usageMetadata.promptTokenCount, answer.usageMetadata.candidatesTokenCount], [11, 4]);
  },
  async streamed() {
    const chunks = await collect(stream('[gemini-stream/sse] Hi'));
    equal(chunks.map((chunk) => chunk.text).join(''), 'Hi there é😀!');
    equal(chunks.at(-1).usageMetadata.totalTokenCount, 16);
  },
  async tools() {
    const answer = await ask('[gemini-generate/tools] Oslo?', { tools });
    const call = answer.functionCalls[0];
    equal([call.name, call.args], ['get_weather', { city: 'Oslo' }]);
    const response = { name: call.name, response: { celsius: -3.5 } };
    const turn = [
      { role: 'user', parts: [{ text: '[gemini-generate/tools-result] Oslo?' }] },
      answer.candidates[0].content,
      { role: 'user', parts: [{ functionResponse: response }] },
    ];
    equal((await ask(turn, { tools })).text, 'It is -3.5 °C in Oslo.');
  },
  async streamed_tools() {
    const [first] = await collect(stream('[gemini-stream/sse-tools] Oslo?', { tools }));
    equal(first.functionCalls[0].args, { city: 'Oslo' });
  },
  async images() {
    const image = { inlineData: { mimeType: 'image/png', data: PNG } };
    equal((await ask(['[gemini-generate/images] What?', image])).text, 'A single pixel.');
  },
  async cached() {
    equal((await ask('[gemini-generate/cached] Hi')).usageMetadata.cachedContentTokenCount, 2048);
  },
  async thinking() {
    const config = { thinkingConfig: { includeThoughts: true } };
    const answer = await ask('[gemini-generate/thinking] 17*23?', config);
    equal([answer.candidates[0].content.parts[0].thought, answer.text], [true, '391']);
    const last = (await collect(stream('[gemini-stream/sse-thinking] 17*23?', config))).at(-1);
    equal(last.usageMetadata.thoughtsTokenCount, 217);
  },
  async blocked() {
    const answer = await ask('[gemini-generate/blocked] Bad');
    equal(answer.promptFeedback.blockReason, BlockedReason.PROHIBITED_CONTENT);
  },
  async long_text() {
    const answer = await ask(`[gemini-generate/long-text] ${'日本語😀'.repeat(5000)}`);
    assert.ok(answer.text.length > 20_000);
  },
  async embeddings() {
    const contents = ['[gemini-embed/batch] one', 'two'];
    const answer = await client.models.embedContent({ model: 'gemini-embedding-001', contents });
    equal(answer.embeddings.map((one) => one.values), [[0.5, -0.25], [1, 2]]);
  },
  async counting() {
    const contents = '[gemini-count-tokens/plain] Hi';
    equal((await client.models.countTokens({ model: MODEL, contents })).totalTokens, 31);
  },
  async models() {
    const names = (await collect(client.models.list())).map((model) => model.name);
    assert.ok(names.some((name) => name.includes(MODEL)), String(names));
    assert.ok((await client.models.get({ model: MODEL })).name.includes(MODEL));
  },
  async errors_of_the_provider() {
    for (const [status, word] of [
      [400, 'INVALID_ARGUMENT'],
      [401, 'UNAUTHENTICATED'],
      [404, 'NOT_FOUND'],
      [429, 'RESOURCE_EXHAUSTED'],
      [500, 'INTERNAL'],
      [503, 'UNAVAILABLE'],
    ]) {
      const name = `gemini-generate/error-${status}`;
      const error = await raises(ApiError, () => ask(`[${name}] Hi`, {}, clientOf(keyOf(name))));
      equal([error.status, told(error).code, told(error).status], [status, status, word]);
    }
    const limited = clientOf(keyOf('gemini-stream/error-429'));
    equal((await raises(ApiError, () => stream('[gemini-stream/error-429] Hi', {}, limited))).status, 429);
  },
  async a_provider_without_room_is_asked_again() {
    const patient = clientOf(keyOf('gemini-generate/retried'), 5);
    equal((await ask('[gemini-generate/retried] Hi', {}, patient)).text, 'At last');
  },
  async a_wrong_key() {
    const error = await raises(ApiError, () => ask('', {}, clientOf('sk-bf-none')));
    equal([error.status, told(error).code, told(error).status], [401, 401, 'UNAUTHENTICATED']);
  },
  async a_model_that_is_not_allowed() {
    const error = await raises(ApiError, () => ask('', {}, clientOf(keyOf('narrow'))));
    equal([error.status, told(error).status], [403, 'PERMISSION_DENIED']);
  },
  async a_budget_that_is_used_up() {
    const poor = clientOf(keyOf('poor'));
    for (const call of [() => ask('', {}, poor), () => stream('', {}, poor)]) {
      const error = await raises(ApiError, call);
      equal([error.status, told(error).code], [402, 402]);
      assert.match(told(error).message, /budget/i);
      assert.match(error.message, /budget_exceeded/);
    }
  },
  async a_rate_limit_is_waited_for() {
    const limited = clientOf(keyOf('limited'), 6);
    // Two may fall on both sides of a window's end; of three, two are within one.
    for (let round = 0; round < 3; round += 1) {
      equal((await ask('[gemini-generate/plain] Hi', {}, limited)).text, 'Hi 😀/');
    }
  },
  async a_client_that_leaves() {
    const leaving = new AbortController();
    const chunks = await stream('[gemini-stream/cancelled] Count', { abortSignal: leaving.signal });
    equal((await chunks.next()).value.text, 'Hi');
    leaving.abort();
  },
});
