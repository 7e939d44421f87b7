// Forms that change something: they go to the management API as JSON, with the session's cookie and the page's token. What the API
// says is shown where it belongs.

const csrfToken = document.querySelector('meta[name="csrf-token"]')?.content;

/** Buttons that need a script work now. */
const enable = (root) => {
  for (const button of root.querySelectorAll("[data-needs-script]")) button.disabled = false;
};
enable(document);

/** Calls the management API. Resolves to what it answers, rejects with the error of its envelope. */
const call = async (method, path, body, etag) => {
  const headers = { accept: "application/json" };
  if (csrfToken) headers["x-csrf-token"] = csrfToken;
  if (body !== undefined) headers["content-type"] = "application/json";
  if (etag) headers["if-match"] = etag;
  const text = body === undefined ? undefined : JSON.stringify(body);
  const response = await fetch(path, { method, headers, body: text, credentials: "same-origin" });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  if (response.status === 401) {
    location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
  }
  throw answer.error ?? { message: `The server answered ${response.status}`, param: "" };
};

/** The field that a JSON pointer names, or the nearest one above it. */
const fieldAt = (form, pointer) => {
  const steps = pointer.split("/").slice(1).map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  for (let length = steps.length; length > 0; length -= 1) {
    const name = steps.slice(0, length).reduce((path, step) => {
      if (/^\d+$/.test(step)) return `${path}[${step}]`;
      return path === "" ? step : `${path}.${step}`;
    }, "");
    // A secret and the box that takes it away have one name: the secret comes first.
    const named = form.elements.namedItem(name);
    const field = named instanceof RadioNodeList ? named[0] : named;
    if (field) return field;
  }
  return null;
};

const clearErrors = (form) => {
  for (const field of form.querySelectorAll('[aria-invalid="true"]')) field.removeAttribute("aria-invalid");
  for (const place of form.querySelectorAll(".error")) place.textContent = "";
};

const showError = (form, error) => {
  const field = fieldAt(form, error.param ?? "");
  const beside = field && document.getElementById(`${field.id}-error`);
  const place = beside ?? form.querySelector("[data-form-error]");
  const stale = error.code === "precondition_failed" ? " Somebody has changed it meanwhile: reload this page and try again." : "";
  if (place) place.textContent = error.message + stale;
  if (beside) {
    field.setAttribute("aria-invalid", "true");
    field.closest("details")?.setAttribute("open", "");
    field.focus();
  }
};

/** Puts members of an answer into a text: `{virtual_key.id}`. */
const filled = (text, answer) =>
  text.replace(/\{([\w.]+)\}/g, (_, path) => encodeURIComponent(path.split(".").reduce((at, step) => at?.[step], answer) ?? ""));

const follow = (form, answer) => {
  const next = filled(form.dataset.then ?? "", answer);
  const secret = form.dataset.secret?.split(".").reduce((at, step) => at?.[step], answer);
  if (secret) {
    form.closest("dialog")?.close();
    showSecret(secret, next);
  } else if (next) {
    location.assign(next);
  } else {
    location.reload();
  }
};

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("form[data-action]")) return;
  event.preventDefault();
  clearErrors(form);
  const button = event.submitter ?? form.querySelector("[type=submit]");
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
  try {
    const body = form.dataset.body === "none" ? undefined : jsonOf(form);
    follow(form, await call(form.dataset.method, form.dataset.action, body, form.dataset.etag));
  } catch (error) {
    showError(form, error);
  } finally {
    button.disabled = false;
    button.removeAttribute("aria-busy");
  }
});

// Presets fill a field: an instant so many hours from now, or a text.
document.addEventListener("change", (event) => {
  const preset = event.target.closest("[data-preset-for]");
  if (!preset) return;
  const field = document.getElementById(preset.dataset.presetFor);
  if (preset.value === "keep") {
    field.value = field.defaultValue;
    showInstant(field);
    return;
  }
  const hours = Number.parseInt(preset.value, 10);
  field.value = Number.isNaN(hours) ? "" : localTime(new Date(Date.now() + hours * 3_600_000)).replace(" ", "T");
});

/** Instants in forms are edited in the zone of the browser. */
const showInstant = (field) => {
  if (field.dataset.instant) field.value = localTime(new Date(field.dataset.instant)).replace(" ", "T");
};
for (const field of document.querySelectorAll('[data-type="instant"]')) showInstant(field);

// A choice in a filter is applied at once.
for (const field of document.querySelectorAll("[data-submits]")) {
  field.addEventListener("change", () => field.form.requestSubmit());
}
