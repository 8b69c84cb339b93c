"use strict";
// The atlas without this is the list of all maps by number; with it, filtered and sorted.
const atlas = document.querySelector("form.controls");
const cards = [...document.querySelectorAll(".card")];
const list = document.querySelector(".cards");
const arrange = () => {
  const { class: driver, order, dead } = atlas.elements;
  const value = (card) => Number(card.dataset[order.value] ?? -Infinity);
  const sorted = order.value === "map" ? cards : [...cards].sort((a, b) => value(b) - value(a));
  let shown = 0;
  for (const card of sorted) {
    const isDead = card.classList.contains("dead");
    card.hidden = (driver.value && (isDead || card.dataset.class !== driver.value)) || (isDead && dead && !dead.checked);
    shown += !card.hidden;
  }
  list.replaceChildren(...sorted);
  document.querySelector(".status").textContent = `${shown} of ${cards.length} maps shown.`;
};
atlas.addEventListener("change", arrange);
atlas.addEventListener("submit", (event) => event.preventDefault());
atlas.hidden = false;
arrange();
