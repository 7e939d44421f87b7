// Rotating several virtual keys at once: those that are chosen in a list, by one call. Their new secrets are shown once.

const setUpRotation = (form) => {
  const boxes = [...document.querySelectorAll("[data-chooses]")];
  const opener = document.querySelector('[data-opens="rotate-chosen"]');
  const chosen = () => boxes.filter((box) => box.checked);
  const count = () => {
    const number = chosen().length;
    opener.disabled = number === 0;
    document.getElementById("rotate-count").textContent = number === 1 ? "One virtual key gets" : `${number} virtual keys get`;
  };
  for (const box of boxes) box.addEventListener("change", count);
  const all = document.getElementById("choose-all");
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
    count();
  });
  count();

  const show = (answer) => {
    const failed = Object.entries(answer.errors ?? {}).map(([id, reason]) => `# ${id}: ${reason}`);
    const lines = answer.virtual_keys.map((key) => `${key.name}\t${key.value}`);
    const dialog = document.getElementById("rotated");
    document.getElementById("rotated-secrets").textContent = [...lines, ...failed].join("\n");
    dialog.addEventListener("close", () => {
      document.getElementById("rotated-secrets").textContent = "";
      location.reload();
    }, { once: true });
    form.closest("dialog").close();
    dialog.showModal();
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    clearErrors(form);
    try {
      show(await call("POST", "/api/governance/virtual-keys/rotate", { ids: chosen().map((box) => box.value) }));
    } catch (error) {
      showError(form, error);
    }
  });
};

for (const form of document.querySelectorAll("form#rotation")) setUpRotation(form);
