// Lists in forms: rows that are added from a template, and removed. Paths below a list begin with the list's own; `@` stands for that
// in templates. The places in paths follow the order of the rows.

const PATHS = ["name", "id", "for", "aria-describedby", "data-list", "data-group", "data-preset-for", "data-adds-to", "list"];

/** Rewrites every path below an element. */
const rewritePaths = (root, rewrite) => {
  for (const element of root.querySelectorAll("*")) {
    for (const attribute of PATHS) {
      const text = element.getAttribute(attribute);
      if (text) element.setAttribute(attribute, rewrite(text));
    }
  }
};

const renumber = (list) => {
  const prefix = `${list.dataset.list}[`;
  [...list.querySelectorAll(":scope > [data-item]")].forEach((item, place) => {
    rewritePaths(item, (text) => {
      const [head, ...rest] = text.split(prefix);
      return head + rest.map((part) => prefix + place + part.slice(part.indexOf("]"))).join("");
    });
  });
};

document.addEventListener("click", (event) => {
  const adding = event.target.closest("[data-add]");
  if (adding) {
    const list = adding.closest("[data-list]");
    const rows = document.getElementById(adding.dataset.add).content.cloneNode(true);
    rewritePaths(rows, (text) => text.replaceAll("@", list.dataset.list));
    adding.parentElement.before(rows);
    renumber(list);
    const item = [...list.querySelectorAll(":scope > [data-item]")].at(-1);
    enable(item);
    item.querySelector("input:not([type=hidden]), select, textarea")?.focus();
  }
  const removing = event.target.closest("[data-remove]");
  if (removing) {
    const list = removing.closest("[data-list]");
    removing.closest("[data-item]").remove();
    renumber(list);
    list.querySelector(":scope > .row > [data-add]")?.focus();
  }
});
