"use strict";
// The latent map: Bokeh draws the points and catches them; filters, images and lists are here.
// `latentMap` holds the points, by columns, and the names of the sheets of images.
Bokeh.logger.set_level("warn");
const root = document.currentScript.getAttribute("src").replace(/static\/[^/]*$/, "");
const form = document.querySelector(".controls");
const plot = document.querySelector(".plot");
const ring = plot.querySelector(".ring");
const panel = document.querySelector(".shown");
const status = document.querySelector(".status");
const tiles = document.querySelector(".tiles");
const caughtText = document.querySelector(".caught");
const field = (name) => document.querySelector(`[name=${name}]`);
const dark = matchMedia("(prefers-color-scheme: dark)");
const coarse = matchMedia("(pointer: coarse)").matches;

const { rows, classes, labels, numbers, views, predictions, sheets } = latentMap;
const COLUMNS = Math.ceil(Math.sqrt(rows));
const PAGE = 120; // tiles that are listed at a time
const REACH = 14; // px within which a point is under the pointer
const LIGHT = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#333333", "#5c4a00",
  "#332288", "#117733", "#cc6677", "#6fb7e0", "#882255", "#a8a84a", "#aa4499", "#661100"];
const DARK = ["#3d9be0", "#e69f00", "#1fbf92", "#dd93bd", "#ef7a2d", "#8fd0f5", "#e3e6ea", "#c9b458",
  "#a79bff", "#4fbf7a", "#e58a99", "#b5dcf2", "#d673a3", "#cfcf74", "#d07cc2", "#d08a70"];
const colourOf = (code) => (dark.matches ? DARK : LIGHT)[code] || `hsl(${(code * 137.5) % 360} 60% ${dark.matches ? 68 : 42}%)`;
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const make = (tag, text, attributes = {}) => {
  const element = document.createElement(tag);
  element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
};
const plural = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

// What is shown

let quiet = false; // whether the selection is changed from here
let view = 0, by = 0, visible = [], caught = [], current = -1, listed = 0;
const taken = (i) => (predictions.length ? predictions[by].codes[i] : labels[i]);
const mistaken = (i) => taken(i) !== labels[i];
const say = (i) => `${classes[labels[i]]}${mistaken(i) ? `, taken for ${classes[taken(i)] ?? "none"}` : ""}`;
const wanted = () => {
  const on = [...form.querySelectorAll(".classes input")].map((box) => box.checked);
  const only = field("only").value;
  const found = [];
  for (let i = 0; i < rows; i++) {
    if (on[labels[i]] && (only === "all" || mistaken(i) === (only === "mistakes"))) found.push(i);
  }
  return found;
};

// The plot

const source = new Bokeh.ColumnDataSource({ data: { x: [], y: [], colour: [] } });
const lasso = new Bokeh.LassoSelectTool({ continuous: false });
const pan = new Bokeh.PanTool();
const wheel = new Bokeh.WheelZoomTool();
const figure = Bokeh.Plotting.figure({
  tools: [lasso, pan, wheel], toolbar_location: null, sizing_mode: "stretch_width", aspect_ratio: 1,
  x_range: new Bokeh.Range1d({ start: 0, end: 1 }), y_range: new Bokeh.Range1d({ start: 0, end: 1 }),
  background_fill_color: null, border_fill_color: null, min_border: 4, lod_threshold: 4000, lod_timeout: 200,
});
const points = figure.scatter({ field: "x" }, { field: "y" }, {
  source, size: innerWidth < 600 ? 4 : 5, fill_color: { field: "colour" }, line_color: null, fill_alpha: 0.8,
  nonselection_fill_alpha: 0.12, selection_fill_alpha: 1, selection_line_color: null, nonselection_line_color: null,
});
let shown = null; // Bokeh's view of the figure, once it stands

const dress = () => {
  for (const axis of [...figure.below, ...figure.left]) {
    axis.axis_line_color = axis.major_tick_line_color = css("--edge");
    axis.major_label_text_color = css("--muted");
    axis.minor_tick_line_color = null;
  }
  for (const grid of figure.center) grid.grid_line_color = css("--line");
  figure.outline_line_color = css("--line");
  figure.border_fill_color = figure.background_fill_color = css("--card");
  form.querySelectorAll(".swatch").forEach((mark, code) => { mark.style.background = colourOf(code); });
};

const cells = new Map(); // of a grid over the plane: which points lie there
let cell = 1;
const key = (x, y) => `${Math.floor(x / cell)} ${Math.floor(y / cell)}`;
const index = () => {
  const { x, y } = views[view];
  cells.clear();
  for (const i of visible) {
    const place = key(x[i], y[i]);
    if (cells.has(place)) cells.get(place).push(i); else cells.set(place, [i]);
  }
};

const draw = () => {
  visible = wanted();
  const { x, y } = views[view];
  const verdict = field("colour").value === "verdict";
  const [right, wrong] = [css("--edge"), css("--failed")];
  // What is drawn last lies on top: mistakes are few.
  const order = verdict ? [...visible].sort((a, b) => mistaken(a) - mistaken(b)) : visible;
  visible = order;
  quiet = true;
  source.selected.indices = [];
  quiet = false;
  source.data = {
    x: order.map((i) => x[i]),
    y: order.map((i) => y[i]),
    colour: order.map((i) => (verdict ? (mistaken(i) ? wrong : right) : colourOf(labels[i]))),
  };
  index();
  mark();
  tell();
  if (current >= 0 && !visible.includes(current)) ring.hidden = true;
};

// Selected points of Bokeh follow what is caught; while that is done its own word is not heard.
const mark = () => {
  const set = new Set(caught);
  quiet = true;
  source.selected.indices = caught.length ? visible.flatMap((i, place) => (set.has(i) ? [place] : [])) : [];
  quiet = false;
};
source.selected.change.connect(() => {
  if (!quiet) hold(source.selected.indices.map((place) => visible[place]));
});

const reach = () => {
  const { x, y } = views[view];
  const bounds = (values) => values.reduce(([low, high], v) => [Math.min(low, v), Math.max(high, v)], [Infinity, -Infinity]);
  const [[left, right], [low, high]] = [bounds(x), bounds(y)];
  const half = (Math.max(right - left, high - low) || 1) * 0.53;
  cell = half / 32;
  range(figure.x_range, (left + right) / 2, half);
  range(figure.y_range, (low + high) / 2, half);
};
const range = (axis, middle, half) => axis.setv({ start: middle - half, end: middle + half });
const zoom = (factor) => {
  for (const axis of [figure.x_range, figure.y_range]) {
    range(axis, (axis.start + axis.end) / 2, ((axis.end - axis.start) / 2) * factor);
  }
};

// Where a point is in the plot's box, in px; null outside of the frame.
const place = (i) => {
  const box = shown.frame.bbox;
  const { start: left, end: right } = figure.x_range;
  const { start: low, end: high } = figure.y_range;
  const x = (views[view].x[i] - left) / (right - left), y = (high - views[view].y[i]) / (high - low);
  if (x < 0 || x > 1 || y < 0 || y > 1) return null;
  return { x: box.left + x * box.width, y: box.top + y * box.height };
};
latentMap.place = place; // for tests, and for whoever looks around in the console

const nearest = (x, y) => {
  const perPixel = (figure.x_range.end - figure.x_range.start) / shown.frame.bbox.width;
  const most = REACH * perPixel, steps = Math.ceil(most / cell);
  const plane = views[view];
  let best = -1, distance = most ** 2;
  for (let dx = -steps; dx <= steps; dx++) {
    for (let dy = -steps; dy <= steps; dy++) {
      for (const i of cells.get(key(x + dx * cell, y + dy * cell)) || []) {
        const apart = (plane.x[i] - x) ** 2 + (plane.y[i] - y) ** 2;
        if (apart < distance) { best = i; distance = apart; }
      }
    }
  }
  return best;
};

// Images

const sprite = (sheet, i, side) => {
  const tile = make("span", "", { class: "sprite" });
  tile.style.width = tile.style.height = `${side}px`;
  tile.style.backgroundImage = `url("${root}${sheet.file}")`;
  tile.style.backgroundSize = `${COLUMNS * side}px auto`;
  tile.style.backgroundPosition = `${-(i % COLUMNS) * side}px ${-Math.floor(i / COLUMNS) * side}px`;
  return tile;
};

const show = (i, announce = false) => {
  if (i < 0 || !shown) return;
  current = i;
  const strip = make("div", "", { class: "strip" });
  sheets.forEach((sheet, number) => {
    const box = make("figure", "");
    box.append(sprite(sheet, i, 112), make("figcaption", number ? `rebuilt, ${sheet.name}` : sheet.name));
    strip.append(box);
  });
  const text = make("p", "");
  text.append(make("b", classes[labels[i]]), ` · image ${numbers[i].toLocaleString("en")} of the data`);
  const verdicts = make("ul", "");
  for (const each of predictions) {
    const wrong = each.codes[i] !== labels[i];
    verdicts.append(make("li", `${each.name}: ${classes[each.codes[i]] ?? "none"}${wrong ? " ✗" : " ✓"}`, { class: wrong ? "unmet" : "met" }));
  }
  panel.setAttribute("aria-live", announce ? "polite" : "off");
  panel.replaceChildren(strip, text, verdicts);
  const at = place(i);
  ring.hidden = !at;
  if (at) ring.style.transform = `translate(${at.x}px, ${at.y}px)`;
};

// What is caught

const hold = (found) => {
  caught = found;
  listed = 0;
  tiles.replaceChildren();
  const order = field("order").value;
  if (order === "class") caught.sort((a, b) => labels[a] - labels[b] || a - b);
  else if (order === "taken") caught.sort((a, b) => mistaken(b) - mistaken(a) || a - b);
  else caught.sort((a, b) => a - b);
  list();
  const counts = new Map();
  for (const i of caught) counts.set(labels[i], (counts.get(labels[i]) || 0) + 1);
  const parts = [...counts].sort((a, b) => b[1] - a[1]).map(([code, n]) => `${classes[code]} ×${n.toLocaleString("en")}`);
  const wrong = caught.filter(mistaken).length;
  caughtText.textContent = caught.length
    ? `${plural(caught.length, "image")}: ${parts.slice(0, 12).join(", ")}${parts.length > 12 ? " …" : ""}` +
      (predictions.length ? `; ${plural(wrong, "mistake")} of ${predictions[by].name}.` : ".")
    : "None yet.";
  tell();
};

const list = () => {
  for (const i of caught.slice(listed, listed + PAGE)) {
    const item = make("li", "");
    const button = make("button", "", { type: "button", "aria-label": `Image ${numbers[i]}: ${say(i)}` });
    if (mistaken(i)) button.className = "wrong";
    for (const sheet of sheets.slice(0, 2)) button.append(sprite(sheet, i, 42));
    button.append(make("span", mistaken(i) ? `${classes[labels[i]]} → ${classes[taken(i)] ?? "none"}` : classes[labels[i]]));
    button.addEventListener("click", () => show(i, true));
    button.addEventListener("focus", () => show(i));
    item.append(button);
    tiles.append(item);
  }
  listed = Math.min(listed + PAGE, caught.length);
  const more = field("more"), rest = caught.length - listed;
  more.hidden = !rest;
  more.textContent = `show ${Math.min(rest, PAGE)} more of ${rest.toLocaleString("en")}`;
};

const tell = () => {
  const wrong = visible.filter(mistaken).length;
  status.textContent = `${visible.length.toLocaleString("en")} of ${plural(rows, "image")} shown` +
    (predictions.length ? `, ${plural(wrong, "mistake")} of ${predictions[by].name} among them` : "") +
    (caught.length ? `; ${caught.length.toLocaleString("en")} caught.` : ".");
};

// The keyboard: the nearest image that lies in the arrow's direction, within 45° of it.
const step = (dx, dy) => {
  const { x, y } = views[view];
  const near = visible.filter((i) => place(i));
  if (!near.length) return;
  if (current < 0 || !near.includes(current)) return show(near[0], true);
  let best = -1, distance = Infinity;
  for (const i of near) {
    const ahead = (x[i] - x[current]) * dx + (y[i] - y[current]) * dy;
    const aside = Math.abs((x[i] - x[current]) * dy) + Math.abs((y[i] - y[current]) * dx);
    const apart = ahead ** 2 + aside ** 2;
    if (i !== current && ahead > 0 && ahead >= aside && apart < distance) { best = i; distance = apart; }
  }
  show(best, true);
};
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
plot.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key in ARROWS) step(...ARROWS[event.key]);
  else if (event.key === "Enter" && current >= 0) { hold([...new Set([...caught, current])]); mark(); }
  else if (event.key === "Escape") { hold([]); mark(); }
  else if (event.key === "+") zoom(0.7);
  else if (event.key === "-") zoom(1 / 0.7);
  else return;
  event.preventDefault();
});

// Controls

const fill = (name, texts) => texts.forEach((text, number) => field(name).append(make("option", text, { value: number })));
fill("view", views.map((each) => each.name));
fill("by", predictions.map((each) => each.name));
form.querySelector(".by").hidden = predictions.length < 2;
field("view").closest("label").hidden = views.length < 2;
for (const name of ["only", "colour"]) field(name).closest("label").hidden = !predictions.length;
classes.forEach((name, code) => {
  const label = make("label", "");
  const box = make("input", "", { type: "checkbox" });
  box.checked = true;
  const count = labels.filter((each) => each === code).length;
  label.append(box, make("span", "", { class: "swatch" }), `${name} `, make("span", count.toLocaleString("en"), { class: "aside" }));
  form.querySelector(".classes").append(label);
});
const boxes = () => form.querySelectorAll(".classes input");
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("change", (event) => {
  view = Number(field("view").value);
  by = Number(field("by").value);
  if (event.target.name === "view") { ring.hidden = true; reach(); }
  if (event.target.name === "drag") figure.toolbar.active_drag = event.target.value === "lasso" ? lasso : pan;
  else draw();
});
const on = (name, act) => field(name).addEventListener("click", act);
on("every", () => { boxes().forEach((box) => { box.checked = true; }); draw(); });
on("none", () => { boxes().forEach((box) => { box.checked = false; }); draw(); });
on("in", () => zoom(0.7));
on("out", () => zoom(1 / 0.7));
on("whole", reach);
on("list", () => { hold([...visible]); mark(); });
on("clear", () => { hold([]); mark(); });
on("more", list);
field("order").addEventListener("change", () => hold(caught));
dark.addEventListener("change", () => { dress(); draw(); });

form.hidden = false;
reach();
dress();
draw();
Bokeh.Plotting.show(figure, plot).then((stands) => {
  shown = stands;
  figure.toolbar.active_scroll = wheel;
  if (coarse) {
    // A finger scrolls the page until one of the two is chosen.
    figure.toolbar.active_drag = null;
    document.getElementById("hint").textContent = "Tap an image to see it. Choose lasso to draw around points and list their images, move to shift the map.";
    panel.firstElementChild.textContent = "Tap an image of the map.";
  } else {
    figure.toolbar.active_drag = lasso;
    form.querySelector("[value=lasso]").checked = true;
  }
  figure.on_event("mousemove", (event) => show(nearest(event.x, event.y)));
  figure.on_event("tap", (event) => show(nearest(event.x, event.y), true));
  for (const axis of [figure.x_range, figure.y_range]) axis.change.connect(() => { ring.hidden = true; });
  plot.dataset.ready = "yes";
});
