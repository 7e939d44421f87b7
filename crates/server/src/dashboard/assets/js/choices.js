// Choosing by a part of a name: what fits is asked for as one types, and stands in the field's datalist. A name that is written in full
// stands for its id.

const PAUSE = 150;
const waiting = new WeakMap();

/** The option that a field names, by its id or else by its name. */
const optionOf = (field) => {
  if (field.value === "") return undefined;
  const options = [...(field.list?.options ?? [])];
  return options.find((option) => option.value === field.value) ?? options.find((option) => option.label === field.value);
};

/** Asks for what fits, unless something else was written meanwhile. */
const lookFor = async (field) => {
  const text = field.value;
  const response = await fetch(`${field.dataset.choices}?search=${encodeURIComponent(text)}`, { credentials: "same-origin" });
  if (response.ok && field.value === text) field.list.innerHTML = await response.text();
};

document.addEventListener("focusin", (event) => {
  if (event.target.matches("input[data-choices]") && event.target.value === "") lookFor(event.target);
});

document.addEventListener("input", (event) => {
  const field = event.target;
  // What was chosen from the list need not be looked for.
  if (!field.matches("input[data-choices]") || optionOf(field)?.value === field.value) return;
  clearTimeout(waiting.get(field));
  waiting.set(field, setTimeout(() => lookFor(field), PAUSE));
});

/** Adds a line to another field; what stands there for everything makes room. */
const add = (field, value) => {
  const list = document.getElementById(field.dataset.addsTo);
  const lines = entriesOf(list.value).filter((line) => line !== "*" && line !== value);
  list.value = [...lines, value].join("\n");
  field.value = "";
};

/** Puts the id where a name was written, and says beside it what it is called. What is not known yet is looked for. */
const settle = async (field) => {
  const text = field.value;
  if (text !== "" && field.dataset.choices && !optionOf(field)) await lookFor(field);
  if (field.value !== text) return;
  const option = optionOf(field);
  if (option) field.value = option.value;
  const name = document.getElementById(`${field.id}-chosen`);
  if (name) name.textContent = option && option.label !== option.value ? option.label : "";
  if (field.dataset.addsTo && field.value.trim() !== "") add(field, field.value.trim());
};

document.addEventListener("change", (event) => {
  if (event.target instanceof HTMLInputElement && event.target.list) settle(event.target);
});
