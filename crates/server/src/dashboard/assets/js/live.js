// Live parts: the server sends a part of the page again whenever it has changed.

for (const part of document.querySelectorAll("[data-live]")) {
  const source = new EventSource(part.dataset.live);
  const light = document.getElementById(part.dataset.light);
  const say = (text) => { if (light) light.textContent = text; };
  source.addEventListener("open", () => say("Live"));
  source.addEventListener("error", () => say("Not live: reload to see what is new"));
  source.addEventListener("part", (event) => {
    part.innerHTML = event.data;
    localiseTimes(part);
    enable(part);
  });
  addEventListener("pagehide", () => source.close());
}
