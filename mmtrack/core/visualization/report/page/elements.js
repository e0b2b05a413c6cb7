// Making elements. Names of videos and classes only ever become text, never markup.

/** el("button", {type: "button", onclick: f}, "text", child): an element with its children. */
function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for elements of SVG. */
function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

/** A text without what is too much of it. */
const shorten = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

const byId = (id) => document.getElementById(id);

/** Coloured square of a legend; with "dashed" only its border. */
function swatch(color, look = "") {
  const node = el("span", { class: `swatch ${look}` });
  if (look) {
    node.style.color = color;
    return node;
  }
  node.style.background = color;
  return node;
}

/** A number as the column of a table writes it. */
function formatValue(value, column) {
  if (value == null) return "–";
  return (column.percent ? 100 * value : value).toFixed(column.digits);
}

/** Value of a colour of the theme, such as "--ink". */
function themeColor(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Black or white, whichever reads better on a colour "#rrggbb" (luma of ITU-R BT.601). */
function inkOn(color) {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
  return 0.299 * r + 0.587 * g + 0.114 * b > 140 ? "#000000" : "#ffffff";
}

/** Set the size of a canvas in CSS pixels; returns device pixels per CSS pixel. */
function sizeCanvas(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  return ratio;
}
