// Elements that scripts make: what they say is text, whoever wrote it.

/** An element with attributes and children; an attribute that is null is left out. */
const element = (name, attributes = {}, ...children) => {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) made.setAttribute(attribute, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
};

/** An instant, in the reader's zone. */
const instant = (at) => {
  const time = element("time", { datetime: at }, at);
  localiseTimes({ querySelectorAll: () => [time] });
  return time;
};

/** Names and what they stand for; those that stand for nothing are left out. */
const facts = (pairs) => {
  const known = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return element("dl", { class: "facts" }, ...known.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
};

/** A table that may be wider than its place. Cells are elements or texts; columns in `numbers` are numbers. */
const table = (label, heads, rows, numbers) => {
  const kind = (place) => (numbers.includes(place) ? "number" : null);
  const head = heads.map((text, place) => element("th", { scope: "col", class: kind(place) }, text));
  const row = (cells) =>
    element("tr", {}, ...cells.map((cell, place) =>
      place === 0 ? element("th", { scope: "row" }, cell) : element("td", { class: kind(place) }, cell)));
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `${label}, as a table` },
    element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows.map(row))));
};

/** A count with commas. */
const countOf = (number) => Number(number).toLocaleString("en-US");

/** A sum in US dollars, to the nano-dollar. */
const dollarsOf = (number) => {
  const [whole, rest] = Math.abs(Number(number)).toFixed(9).split(".");
  return `${Number(number) < 0 ? "-" : ""}$${countOf(whole)}.${rest.replace(/0+$/, "").padEnd(2, "0")}`;
};

/** What a meter counts, as people read it. */
const amountOf = (metric, number) => (metric === "cost" ? dollarsOf(number) : countOf(number));
