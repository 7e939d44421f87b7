// What the playground says: why a request is refused and what to do, what would become of it, and where its answer came from.

/** What to do about a refusal, from the texts that came with the page. */
const adviceOn = (code) =>
  document.getElementById("playground-advice")?.content.querySelector(`[data-code="${CSS.escape(code)}"]`)?.textContent ?? "";

/** A refusal, or an error of a provider. `wait` is how many seconds to wait, if waiting helps. */
const refusalOf = (error, wait) => {
  const { code = "", message = "", details } = error;
  const advice = adviceOn(code);
  const limit = details && facts([
    ["Limit of", ownerOf(details.scope)],
    ["Counts", METRICS[details.metric] ?? details.metric],
    ["Cap", amountOf(details.metric, details.limit_value)],
    ["Used", amountOf(details.metric, details.used)],
    ["Held", amountOf(details.metric, details.held)],
    ["It would hold", amountOf(details.metric, details.requested)],
    ["Resets", details.resets_at ? instant(details.resets_at) : "never"],
  ]);
  return element("div", { class: "note bad stack", "data-refusal": code },
    element("div", { class: "tight" },
      element("p", {}, element("b", {}, "Refused: "), element("code", {}, code || "error of the provider")),
      element("p", {}, message)),
    limit ?? null,
    advice ? element("p", {}, element("b", {}, "What to do: "), advice) : null,
    wait ? element("p", {}, `It may work again in ${wait} s.`) : null);
};

/** Something that the page itself could not do. */
const troubleOf = (error) => element("p", { class: "note bad" }, error.message ?? String(error));

/** What would become of a request. */
const explanationOf = (explained) => {
  const { admitted, destination, hold, output_cap: cap, refusal, meters } = explained;
  const verdict = admitted
    ? element("p", { class: "note good", "data-verdict": "admitted" }, "It would be admitted.")
    : refusalOf(refusal?.error ?? {}, null);
  return element("div", { class: "stack" }, verdict,
    facts([
      ["Provider", destination?.provider],
      ["Model", destination && (destination.model === destination.model_served ? destination.model : `${destination.model}, served as ${destination.model_served}`)],
      ["Provider key", destination && element("code", {}, destination.provider_key_id)],
      ["Routing rule", destination && (destination.routing_rule ?? "none: the weights of the key decide")],
      ["Prices", destination && (destination.price_version ?? "none")],
      ["It would hold", hold && `${dollarsOf(hold.cost)} for ${countOf(hold.input_tokens)} tokens in and ${countOf(hold.output_tokens)} out`],
      ["Output cap", cap === null ? null : `${countOf(cap)} tokens`],
    ]),
    metersNow(meters));
};

/** Whether a provider was called for it, so that the ledger has it. */
const wasAdmitted = (answer) => Number(answer.headers.get("x-keyward-attempts") ?? 0) > 0;

/** Where an answer came from, what it cost, and how long it took. */
const factsOf = (answer, mayReadUsage) => {
  const header = (name) => answer.headers.get(name);
  const id = header("x-request-id");
  const left = (what) => header(`x-ratelimit-remaining-${what}`) && `${header(`x-ratelimit-remaining-${what}`)} of ${header(`x-ratelimit-limit-${what}`)}`;
  const milliseconds = (number) => (number === null ? null : `${countOf(Math.round(number))} ms`);
  const admitted = wasAdmitted(answer);
  return facts([
    ["Status", String(answer.status)],
    ["Request", id && (mayReadUsage && admitted ? element("a", { href: `/ledger/${encodeURIComponent(id)}`, id: "playground-entry" }, element("code", {}, id)) : element("code", {}, id))],
    ["Provider", header("x-keyward-provider")],
    ["Model", header("x-keyward-model")],
    ["Routing rule", header("x-keyward-routing-rule")],
    ["Attempts", header("x-keyward-attempts")],
    ["Cost", element("span", { id: "playground-cost" }, header("x-keyward-cost") === null ? (admitted ? "told by the ledger when it is settled" : "nothing") : dollarsOf(header("x-keyward-cost")))],
    ["Output cap", header("x-keyward-output-cap") && `${header("x-keyward-output-cap")} tokens`],
    ["Budget left", header("x-keyward-budget-remaining") && dollarsOf(header("x-keyward-budget-remaining"))],
    ["Requests left", left("requests")],
    ["Tokens left", left("tokens")],
    ["Tokens", answer.usage && `${countOf(answer.usage.prompt_tokens)} in, ${countOf(answer.usage.completion_tokens)} out`],
    ["Ended by", answer.finish],
    ["First piece", milliseconds(answer.first)],
    ["In all", milliseconds(answer.total)],
  ]);
};
