"use strict";
// Every page works without this: it enlarges figures, shows a box's edges, opens what a link leads to.
const dialog = document.getElementById("enlarged");
if (dialog) {
  const large = dialog.querySelector("img");
  for (const figure of document.querySelectorAll("figure")) {
    const image = figure.querySelector("img");
    const button = figure.querySelector(".enlarge");
    const enlarge = () => {
      large.src = image.src;
      large.alt = image.alt;
      dialog.showModal();
    };
    button.hidden = false;
    button.addEventListener("click", enlarge);
    image.addEventListener("click", enlarge);
  }
  large.addEventListener("click", () => dialog.close());
}

const reveal = () => {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  if (!target) return;
  for (let box = target.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
  target.scrollIntoView();
};
window.addEventListener("hashchange", reveal);
reveal();

const graph = document.querySelector(".graph svg");
if (graph) {
  const nodes = [...graph.querySelectorAll(".node")];
  const links = [...graph.querySelectorAll(".links path")];
  const trace = (id) => {
    const near = new Set([id]);
    for (const link of links) {
      const to = link.dataset.to.split(" ");
      const on = link.dataset.from === id || to.includes(id);
      link.classList.toggle("on", on);
      if (link.dataset.from === id) to.forEach((name) => near.add(name));
      if (to.includes(id)) near.add(link.dataset.from);
    }
    for (const node of nodes) node.classList.toggle("on", near.has(node.dataset.id));
    graph.classList.add("traced");
  };
  const clear = () => graph.classList.remove("traced");
  for (const node of nodes) {
    node.addEventListener("pointerenter", () => trace(node.dataset.id));
    node.addEventListener("pointerleave", clear);
    node.addEventListener("focus", () => { if (node.matches(":focus-visible")) trace(node.dataset.id); });
    node.addEventListener("blur", clear);
  }
}
