// Makes a few things quicker. Every page works without it.
"use strict";

// "/" jumps to the search field of a list, as in many tools.
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, select, textarea");
  const search = document.querySelector("[data-cle='/']");
  if (event.key === "/" && !typing && search && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    search.focus();
  }
});

// A file dropped on the zone is chosen.
for (const zone of document.querySelectorAll("[data-depot]")) {
  const input = zone.querySelector("input[type=file]");
  zone.addEventListener("dragover", (event) => { event.preventDefault(); zone.classList.add("over"); });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    if (event.dataTransfer.files.length) { input.files = event.dataTransfer.files; }
  });
}

// Copy what is shown once.
for (const button of document.querySelectorAll("[data-copie]")) {
  if (!navigator.clipboard) { continue; }
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copie).textContent);
    button.textContent = "Copiée";
  });
}

// After a refused form, the reader hears what is wrong first.
document.getElementById("problemes")?.focus();
