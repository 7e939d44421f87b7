// The meters of a request in the playground: whose each is, and what it reads before and after.

const METRICS = { cost: "US dollars", tokens: "Tokens", requests: "Requests", parallel_requests: "At the same time" };

/** Where the owner of a limit is, and what it is called. */
const OWNERS = {
  customer: ["Customer", "/customers/"],
  team: ["Team", "/teams/"],
  virtual_key: ["Virtual key", "/virtual-keys/"],
  provider: ["Provider", "/providers/"],
  provider_config: ["Virtual key at a provider", null],
  model_config: ["Model", null],
  virtual_key_model_config: ["Model, for the key", null],
  model_budget: ["Model, for the key at a provider", null],
};

/** The owner of a limit, with the way to it. */
const ownerOf = (scope) => {
  const [name, path] = OWNERS[scope.kind] ?? [scope.kind, null];
  return path ? element("a", { href: path + encodeURIComponent(scope.id) }, name) : element("span", { title: scope.id }, name);
};

const barOf = (meter) => {
  const make = (name, attributes) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
    return made;
  };
  const cap = Number(meter.limit_value);
  const share = (amount) => (cap > 0 ? Math.min(1_000, Math.floor((Number(amount) * 1_000) / cap)) : 1_000);
  const used = share(meter.used);
  const held = Math.min(share(meter.held), 1_000 - used);
  const tone = used >= 1_000 ? "bad" : used + held >= 800 ? "warn" : "calm";
  const bar = make("svg", { class: `bar ${tone}`, viewBox: "0 0 1000 10", preserveAspectRatio: "none", "aria-hidden": "true" });
  bar.append(make("rect", { class: "bar-track", width: 1_000, height: 10 }));
  bar.append(make("rect", { class: "bar-used", width: used, height: 10 }));
  if (held > 0) bar.append(make("rect", { class: "bar-held", x: used, width: held, height: 10 }));
  return bar;
};

const levelOf = (meter) =>
  element("div", { class: "meter" },
    element("div", { class: "meter-text" },
      element("span", {}, `${amountOf(meter.metric, meter.used)} of ${amountOf(meter.metric, meter.limit_value)}`)),
    barOf(meter));

const nothingCovers = () => element("p", { class: "muted" }, "No limit covers it.");

/** The meters as they read now, with what the request would hold. */
const metersNow = (meters) => {
  if (meters.length === 0) return nothingCovers();
  const rows = meters.map((meter) => [
    ownerOf(meter.scope),
    METRICS[meter.metric] ?? meter.metric,
    levelOf(meter),
    amountOf(meter.metric, meter.held),
    amountOf(meter.metric, meter.requested),
    meter.window_end ? instant(meter.window_end) : "never",
  ]);
  return table("Limits that cover it", ["Limit of", "Counts", "Used", "Held", "This would hold", "Resets"], rows, [3, 4]);
};

/** The meters before a request and after it. */
const metersMoved = (before, after) => {
  if (after.length === 0) return nothingCovers();
  const nameOf = (meter) => `${meter.limit}/${meter.metric}`;
  const earlier = new Map(before.map((meter) => [nameOf(meter), meter]));
  const rows = after.map((meter) => {
    const used = earlier.get(nameOf(meter))?.used ?? 0;
    const left = Number(meter.limit_value) - Number(meter.used) - Number(meter.held);
    return [
      ownerOf(meter.scope),
      METRICS[meter.metric] ?? meter.metric,
      amountOf(meter.metric, used),
      amountOf(meter.metric, meter.used),
      element("b", { "data-moved": meter.metric }, amountOf(meter.metric, Number(meter.used) - Number(used))),
      levelOf(meter),
      amountOf(meter.metric, Math.max(0, left)),
    ];
  });
  return table("Limits before and after", ["Limit of", "Counts", "Before", "After", "Moved", "Used", "Left"], rows, [2, 3, 4, 6]);
};
