"use strict";
// The page is whole without this: it sorts tables and unfolds what is printed.
const UNITS = {bytes: 1, kB: 1024, MB: 1024 ** 2, GB: 1024 ** 3, TB: 1024 ** 4};

function value(row, column) {
  const text = row.cells[column].textContent;
  const number = /^(-?[\d,]+(?:\.\d+)?)(?: (bytes|kB|MB|GB|TB|%))?(?: est\.)?$/.exec(text);
  return number ? Number(number[1].replaceAll(",", "")) * (UNITS[number[2]] ?? 1) : text;
}

function compare(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b));
}

function sort(header) {
  const table = header.closest("table");
  const down = header.getAttribute("aria-sort") === "ascending"
    || !header.hasAttribute("aria-sort") && header.classList.contains("number");
  for (const each of table.querySelectorAll("th")) each.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", down ? "descending" : "ascending");
  const rows = [...table.tBodies[0].rows];
  rows.sort((a, b) => compare(value(a, header.cellIndex), value(b, header.cellIndex)) * (down ? -1 : 1));
  table.tBodies[0].append(...rows);
}

for (const header of document.querySelectorAll("th")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = header.textContent;
  button.addEventListener("click", () => sort(header));
  header.replaceChildren(button);
}

const closed = [];
addEventListener("beforeprint", () => {
  for (const each of document.querySelectorAll("details:not([open])")) closed.push(each);
  for (const each of closed) each.open = true;
});
addEventListener("afterprint", () => {
  for (const each of closed.splice(0)) each.open = false;
});
