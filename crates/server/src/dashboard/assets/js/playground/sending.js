// Sending from the playground: as an application would, with the virtual key and without the session.

/** The events of a stream, each read from its JSON. */
async function* eventsOf(body) {
  let rest = "";
  for await (const piece of body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      const data = line.startsWith("data:") ? line.slice(5).trim() : "";
      if (data !== "" && data !== "[DONE]") yield JSON.parse(data);
    }
  }
}

/** Sends a request. `show` gets each piece of the text as it comes. Resolves to the answer, also where it is a refusal. */
const sendRequest = async (secret, body, signal, show) => {
  const begun = performance.now();
  const headers = { authorization: `Bearer ${secret}`, "content-type": "application/json" };
  const response = await fetch("/v1/chat/completions",
    { method: "POST", headers, body: JSON.stringify(body), credentials: "omit", signal });
  const answer = { status: response.status, headers: response.headers, first: null, total: null, usage: null, finish: null, error: null };
  const take = (part, text) => {
    answer.usage = part.usage ?? answer.usage;
    answer.finish = part.choices?.[0]?.finish_reason ?? answer.finish;
    answer.error = part.error ?? answer.error;
    if (text) {
      answer.first ??= performance.now() - begun;
      show(text);
    }
  };
  if (response.ok && response.headers.get("content-type")?.startsWith("text/event-stream")) {
    for await (const part of eventsOf(response.body)) take(part, part.choices?.[0]?.delta?.content);
  } else {
    const part = await response.json().catch(() => ({ error: { message: "The answer is not JSON" } }));
    take(part, part.choices?.[0]?.message?.content);
    if (!response.ok) answer.error ??= { message: `The answer has status ${response.status}` };
  }
  answer.total = performance.now() - begun;
  return answer;
};
