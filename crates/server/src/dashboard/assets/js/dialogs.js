// Dialogs: native ones, that are opened by a button and closed by another, by Escape, or by what they ask for.

document.addEventListener("click", async (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) document.getElementById(opener.dataset.opens)?.showModal();
  if (event.target.closest("[data-closes]")) event.target.closest("dialog")?.close();
  const copier = event.target.closest("[data-copies]");
  if (copier) {
    await navigator.clipboard.writeText(document.getElementById(copier.dataset.copies).textContent);
    const text = copier.textContent;
    copier.textContent = "Copied";
    setTimeout(() => { copier.textContent = text; }, 2_000);
  }
});

/** Shows a secret once: it is in no page, and gone with the dialog. */
const showSecret = (secret, next) => {
  const dialog = document.getElementById("secret");
  const place = document.getElementById("secret-value");
  place.textContent = secret;
  dialog.addEventListener("close", () => {
    place.textContent = "";
    if (next) location.assign(next);
    else location.reload();
  }, { once: true });
  dialog.showModal();
};

// Reveals the secret of something that has one, by asking for it.
document.addEventListener("click", async (event) => {
  const revealer = event.target.closest("[data-reveals]");
  if (!revealer) return;
  const place = document.getElementById(revealer.dataset.place);
  try {
    place.textContent = (await call("GET", revealer.dataset.reveals)).value;
    revealer.hidden = true;
  } catch (error) {
    document.getElementById(`${revealer.dataset.place}-error`).textContent = error.message;
  }
});
