// Runs the cases of an SDK one after the other, and says on a line of JSON what came of each.

import assert from 'node:assert/strict';

/** Virtual keys by what they are for: a limit that refuses, or the fixture of a provider's error. */
const keys = JSON.parse(process.env.KEYWARD_KEYS);

/** A single pixel. */
export const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

export const equal = assert.deepStrictEqual;

/** The virtual key for this purpose. */
export function keyOf(purpose) {
  assert.ok(keys[purpose], `no key for ${purpose}`);
  return keys[purpose];
}

/** All that a stream gives. */
export async function collect(stream) {
  const all = [];
  for await (const one of await stream) all.push(one);
  return all;
}

/** Calls, and returns the error, which must be of this very class. */
export async function raises(kind, call) {
  let result;
  try {
    result = await call();
  } catch (error) {
    if (error?.constructor !== kind) throw error;
    return error;
  }
  assert.fail(`expected ${kind.name}, got ${JSON.stringify(result)}`);
}

/** Runs all cases, in the order in which they are written. */
export async function run(cases) {
  for (const [name, test] of Object.entries(cases)) {
    const start = performance.now();
    const result = { case: name, ok: true };
    try {
      await test();
    } catch (error) {
      Object.assign(result, { ok: false, error: String(error?.stack ?? error) });
      process.exitCode = 1;
    }
    result.seconds = Math.round(performance.now() - start) / 1000;
    console.log(JSON.stringify(result));
  }
}
