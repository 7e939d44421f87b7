// The playground: a request is explained or sent. The secret of a virtual key stays in the memory of this page: it is in no address
// and in no storage, and goes nowhere but to the gateway.

const setUpPlayground = (form) => {
  const mayReadUsage = form.dataset.usage !== undefined;
  const mayReveal = form.dataset.revealing !== undefined;
  const field = (name) => document.getElementById(`playground-${name}`);
  const fill = (name, ...children) => field(name).replaceChildren(...children);
  const revealed = new Map();
  let running = null;

  /** The id of the key that has this secret, as far as the visitor may see it. */
  const idOf = async (secret) => {
    const response = await fetch("/api/governance/virtual-keys/quota", { headers: { "x-bf-vk": secret }, credentials: "omit" });
    const quota = await response.json();
    if (!response.ok) throw quota.error ?? { message: "The virtual key is not known" };
    const name = quota.virtual_key_name;
    const listed = await call("GET", `/api/governance/virtual-keys?limit=100&search=${encodeURIComponent(name)}`);
    return listed.virtual_keys.find((key) => key.name === name)?.id ?? null;
  };

  /** Which key is meant: the one whose secret is pasted, or the one that is chosen. */
  const meant = async () => {
    const secret = field("secret").value.trim();
    const id = secret ? await idOf(secret) : field("key").value;
    if (!id && !secret) throw { message: "Paste the secret of a virtual key, or choose a key." };
    return { id, secret };
  };

  /** The secret of a chosen key, which the server shows to whoever may see it, and notes in its audit log. */
  const secretOf = async (key) => {
    if (key.secret) return key.secret;
    if (!mayReveal) throw { message: "Paste the key's secret to send: it cannot be shown to you here." };
    if (!revealed.has(key.id)) {
      revealed.set(key.id, (await call("GET", `/api/governance/virtual-keys/${encodeURIComponent(key.id)}/reveal`)).value);
    }
    return revealed.get(key.id);
  };

  const requestOf = () => {
    const body = { model: field("model").value.trim(), messages: [{ role: "user", content: field("message").value }] };
    const most = field("most").value.trim();
    if (most !== "") body.max_completion_tokens = Number(most);
    if (field("stream").checked) body.stream = true;
    return body;
  };

  const explained = (key, body) =>
    call("POST", "/api/governance/explain", { virtual_key_id: key.id, dialect: "chat_completions", body });

  const explain = async () => {
    const key = await meant();
    if (!key.id) throw { message: "The key is not one that you may see, so its request cannot be explained. Sending works." };
    fill("plan", explanationOf(await explained(key, requestOf())));
  };

  /** Waits until a request is in the books, and shows what it moved. */
  const settled = async (key, body, before, answer) => {
    const id = answer.headers.get("x-request-id");
    let entries = [];
    for (let looks = 0; looks < 20 && mayReadUsage && entries.length === 0; looks += 1) {
      if (looks > 0) await new Promise((resolve) => { setTimeout(resolve, 250); });
      entries = (await call("GET", `/api/governance/ledger?request_id=${encodeURIComponent(id)}`)).entries;
    }
    if (entries.length > 0) field("cost").textContent = dollarsOf(entries.reduce((sum, entry) => sum + Number(entry.cost), 0));
    fill("moved", metersMoved(before.meters, (await explained(key, body)).meters));
  };

  const send = async () => {
    const [key, body] = [await meant(), requestOf()];
    const secret = await secretOf(key);
    const before = key.id ? await explained(key, body) : null;
    const text = element("p", { class: "answer", id: "playground-text" });
    fill("answer", text);
    fill("facts");
    fill("moved", element("p", { class: "muted" }, "Shown when the answer is there."));
    running = new AbortController();
    const answer = await sendRequest(secret, body, running.signal, (piece) => { text.textContent += piece; });
    if (answer.error) field("answer").append(refusalOf(answer.error, answer.headers.get("retry-after")));
    fill("facts", factsOf(answer, mayReadUsage));
    if (!before) fill("moved", element("p", { class: "muted" }, "The key is not one that you may see."));
    else if (wasAdmitted(answer)) await settled(key, body, before, answer);
    else fill("moved", metersMoved(before.meters, (await explained(key, body)).meters));
  };

  /** Does one thing at a time, and says what kept it from being done. */
  const doing = async (what, place) => {
    const buttons = [...form.querySelectorAll("button")];
    for (const button of buttons) button.disabled = button.id !== "playground-stop";
    form.setAttribute("aria-busy", "true");
    try {
      await what();
    } catch (error) {
      if (error.name === "AbortError") {
        field(place).append(element("p", { class: "note" }, "You hung up. What the provider had produced is charged."));
        fill("moved", element("p", { class: "muted" }, "The ledger has it, once the rest of the answer is read for its usage."));
      } else {
        fill(place, troubleOf(error));
      }
    } finally {
      running = null;
      for (const button of buttons) button.disabled = button.id === "playground-stop";
      form.removeAttribute("aria-busy");
    }
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    doing(send, "answer");
  });
  field("explain").addEventListener("click", () => { if (form.reportValidity()) doing(explain, "plan"); });
  field("stop").addEventListener("click", () => running?.abort());
  addEventListener("pagehide", () => { field("secret").value = ""; });
};

for (const form of document.querySelectorAll("form#playground")) setUpPlayground(form);
