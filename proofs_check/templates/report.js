"use strict";
document.documentElement.classList.add("has-js");

// Rows are kept compressed, and unfolded where they are looked at.
async function unpack() {
  const packed = Uint8Array.from(atob(document.getElementById("rows").textContent), c => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}
const kept = unpack().catch(() => {
  document.querySelector(".unreadable").hidden = false;
  return [];
});
async function unfold(place) {
  const listed = await kept;
  for (const body of place.querySelectorAll("tbody[data-rows]")) {
    body.innerHTML = listed[body.dataset.rows] || "";
    delete body.dataset.rows;
  }
}
document.addEventListener("toggle", event => { if (event.target.open) unfold(event.target); }, true);

// A link to evidence unfolds it and opens what it lies in.
const number = id => Number(id.slice("cell-".length));
async function reveal() {
  let id = "";
  try { id = decodeURIComponent(location.hash.slice(1)); } catch (error) { return; }
  if (/^cell-[0-9]+$/.test(id)) {
    for (const box of document.querySelectorAll("details.evidence")) {
      const [first, last] = box.dataset.cells.split(" ").map(number);
      if (first <= number(id) && number(id) <= last) await unfold(box);
    }
  }
  const target = id && document.getElementById(id);
  if (!target) return;
  for (let node = target; node; node = node.parentElement) {
    if (node.tagName === "DETAILS") node.open = true;
  }
  const row = target.tagName === "TR";
  if (row) target.querySelector(".more").open = true;
  target.scrollIntoView({ block: row ? "center" : "start" });
}
addEventListener("hashchange", reveal);
reveal();

// The ledger and its filters.
const form = document.querySelector(".filters");
const table = document.getElementById("cells");
let rows = [];
const ready = unfold(table).then(() => {
  rows = Array.from(table.querySelectorAll("tbody tr"), row => ({
    row,
    text: row.textContent.toLowerCase(),
    family: row.dataset.family,
    verdict: row.cells[1].textContent,
    arithmetic: row.cells[2].textContent,
    activation: row.cells[3].textContent,
    status: row.cells[5].textContent,
  }));
  for (const box of document.querySelectorAll("details.evidence[open]")) unfold(box);
});
const fields = ["verdict", "family", "arithmetic", "activation", "status"]
  .map(key => ({ key, box: document.getElementById("filter-" + key) })).filter(field => field.box);
const text = document.getElementById("filter-text");
const count = document.getElementById("filter-count");

async function apply() {
  await ready;
  const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const entry of rows) {
    const keep = words.every(word => entry.text.includes(word))
      && fields.every(({ key, box }) => !box.value || entry[key] === box.value);
    entry.row.hidden = !keep;
    if (keep) shown += 1;
  }
  count.textContent = shown === rows.length ? shown + " cells" : shown + " of " + rows.length + " cells";
}
form.addEventListener("input", apply);
form.addEventListener("submit", event => event.preventDefault());
form.addEventListener("reset", () => setTimeout(apply));

// A bar of the summary shows its cells in the ledger.
for (const link of document.querySelectorAll("[data-filter]")) {
  link.addEventListener("click", () => {
    const wanted = new URLSearchParams(link.dataset.filter);
    form.reset();
    text.value = wanted.get("text") || "";
    for (const { key, box } of fields) box.value = wanted.get(key) || "";
    apply();
  });
}

addEventListener("keydown", event => {
  const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName);
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    text.focus();
  } else if (event.key === "Escape" && form.contains(document.activeElement)) {
    form.reset();
  }
});

// Copy buttons; where there is no clipboard (a page opened from a file, in some browsers) the command is selected.
document.addEventListener("click", async event => {
  const button = event.target.closest(".copy");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.previousElementSibling.textContent);
    button.textContent = "Copied";
  } catch (error) {
    getSelection().selectAllChildren(button.previousElementSibling);
    button.textContent = "Selected";
  }
  setTimeout(() => { button.textContent = "Copy"; }, 1500);
});

for (const [id, open] of [["open-all", true], ["close-all", false]]) {
  document.getElementById(id).addEventListener("click", () => {
    for (const box of document.querySelectorAll("details.evidence")) box.open = open;
  });
}
