// From a form to the JSON that the management API takes. A field's name is its path, such as `budgets[0].max_limit`; `data-type` says
// what becomes of its text, `data-empty` what becomes of a field without any: `omit` (unless given), `null`, `text` or `list`.

const OMITTED = Symbol("omitted");

/** The steps of a path: names, and numbers for places in lists. */
const stepsOf = (path) =>
  path.split(".").flatMap((part) => {
    const [name, ...places] = part.split("[");
    return [name, ...places.map((place) => Number.parseInt(place, 10))];
  });

/** A number as it is written: money must not be rounded. */
const numberOf = (text) => {
  if (!/^-?\d+(\.\d+)?$/.test(text)) return text;
  return JSON.rawJSON ? JSON.rawJSON(text.replace(/^(-?)0+(?=\d)/, "$1")) : Number(text);
};

const entriesOf = (text) =>
  text.split(/[\n,]/).map((entry) => entry.trim()).filter((entry) => entry !== "");

const READERS = {
  text: (text) => text,
  number: numberOf,
  boolean: (text) => (text === "true" ? true : text === "false" ? false : text),
  list: entriesOf,
  pairs: (text) =>
    Object.fromEntries(
      text.split("\n").map((line) => line.trim()).filter((line) => line !== "").map((line) => {
        const at = line.indexOf("=");
        return at < 0 ? [line, ""] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
      }),
    ),
  instant: (text) => {
    const instant = new Date(text);
    return Number.isNaN(instant.getTime()) ? text : instant.toISOString();
  },
};

const EMPTY = { omit: () => OMITTED, null: () => null, text: () => "", list: () => [], pairs: () => ({}) };

/** Names that are chosen, each of which is true; null stands for every name. */
const flagsOf = (names) => (names.includes("*") ? null : Object.fromEntries(names.map((name) => [name, true])));

/** What a field says. */
const valueOf = (field) => {
  if (field.dataset.type === "clearing") return field.checked ? null : OMITTED;
  if (field.type === "checkbox") return field.checked;
  if (field.multiple) {
    const chosen = [...field.selectedOptions].map((option) => option.value);
    return field.dataset.type === "flags" ? flagsOf(chosen) : chosen;
  }
  const text = field.dataset.type === "text" || !field.dataset.type ? field.value : field.value.trim();
  if (text === "") return EMPTY[field.dataset.empty ?? "omit"]();
  return READERS[field.dataset.type ?? "text"](text);
};

const put = (root, steps, value) => {
  let at = root;
  steps.forEach((step, index) => {
    if (index === steps.length - 1) at[step] = value;
    else at = at[step] ??= typeof steps[index + 1] === "number" ? [] : {};
  });
};

const isNothing = (value) => value === null || value === false || (typeof value === "object" && !Array.isArray(value) && Object.keys(value).length === 0);

/** The object that a form describes. */
const jsonOf = (form) => {
  const result = {};
  for (const list of form.querySelectorAll("[data-list]")) put(result, stepsOf(list.dataset.list), []);
  for (const field of form.elements) {
    if (!field.name || field.disabled || (field.type === "radio" && !field.checked)) continue;
    const value = valueOf(field);
    if (value !== OMITTED) put(result, stepsOf(field.name), value);
  }
  // A group whose members are all empty is left out, or is null.
  for (const group of form.querySelectorAll("[data-group]")) {
    const steps = stepsOf(group.dataset.group);
    const holder = steps.slice(0, -1).reduce((at, step) => at?.[step], result);
    const last = steps.at(-1);
    if (!holder || (holder[last] && !Object.values(holder[last]).every(isNothing))) continue;
    if (group.dataset.empty === "null") holder[last] = null;
    else delete holder[last];
  }
  return result;
};
