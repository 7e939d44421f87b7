// What the round trips are told.
declare const process: { env: Record<string, string | undefined> };

function told(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

export const url = told("KEYWARD_URL");
export const authorization = `Basic ${btoa(`${told("KEYWARD_USERNAME")}:${told("KEYWARD_PASSWORD")}`)}`;

export function equal(found: unknown, expected: unknown): void {
  if (found !== expected) throw new Error(`${String(found)} is not ${String(expected)}`);
}
