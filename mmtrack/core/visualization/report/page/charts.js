// Line and bar charts as SVG.

const CHART = { width: 420, height: 210, left: 44, right: 10, top: 8, bottom: 36 };
const SERIES = 6; // colours --c0 to --c5
const DASHES = ["", "7 3", "2 3", "9 3 2 3"]; // so that lines differ without their colours, too

/** Round steps (1, 2 or 5 times a power of ten) that cut a range into about five. */
function ticksOf(low, high) {
  const rough = (high - low) / 5 || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
  const ticks = [];
  for (let k = Math.ceil(low / step); k * step <= high + step * 1e-9; k++) ticks.push(k * step);
  return ticks;
}

const shortNumber = (value) => String(Number(value.toPrecision(3)));

/** Axes of a chart: functions from values to positions, and an SVG with the grid. */
function axes(chart, [xLow, xHigh], [yLow, yHigh], xTicks) {
  const { width, height, left, right, top, bottom } = CHART;
  const x = (value) => left + ((value - xLow) / (xHigh - xLow || 1)) * (width - left - right);
  const y = (value) => height - bottom - ((value - yLow) / (yHigh - yLow || 1)) * (height - top - bottom);
  const root = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${chart.title}: ${chart.yLabel} over ${chart.xLabel}` });
  for (const tick of ticksOf(yLow, yHigh)) {
    root.append(
      svg("line", { class: "grid", x1: left, x2: width - right, y1: y(tick), y2: y(tick) }),
      svg("text", { x: left - 6, y: y(tick) + 4, "text-anchor": "end" }, shortNumber(tick)),
    );
  }
  for (const tick of xTicks ?? ticksOf(xLow, xHigh)) {
    root.append(svg("text", { x: x(tick), y: height - bottom + 15, "text-anchor": "middle" }, shortNumber(tick)));
  }
  root.append(
    svg("text", { x: (left + width - right) / 2, y: height - 4, "text-anchor": "middle" }, chart.xLabel),
    svg("text", { transform: `translate(11 ${(height - bottom + top) / 2}) rotate(-90)`, "text-anchor": "middle" }, chart.yLabel),
  );
  return { root, x, y };
}

const colorOfSeries = (index, colors) => colors?.[index] ?? `var(--c${index % SERIES})`;

/** Attributes of the line of a series. */
const strokeOf = (k, colors) => (
  { fill: "none", stroke: colorOfSeries(k, colors), "stroke-width": 1.8, "stroke-dasharray": DASHES[k % DASHES.length] });

function legendOf(names, colors) {
  return el("div", { class: "legend" }, ...names.map((name, k) => {
    const mark = svg("svg", { viewBox: "0 0 22 8", "aria-hidden": "true" }, svg("path", { d: "M0 4H22", ...strokeOf(k, colors) }));
    return el("span", {}, mark, name);
  }));
}

/** Path through the points whose value is a number. */
function pathOf(xs, ys, x, y) {
  let path = "";
  let pen = "M";
  for (let k = 0; k < ys.length; k++) {
    if (Number.isNaN(ys[k]) || ys[k] === null) pen = "M";
    else {
      path += `${pen}${x(xs[k]).toFixed(1)} ${y(ys[k]).toFixed(1)}`;
      pen = "L";
    }
  }
  return path;
}

/** Least and largest number of an array of numbers, NaN left out. */
function extent(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : [0, 1];
}

/**
 * A chart of lines.
 * chart: {title, xLabel, yLabel, range, x, lines: {name: values}}, decoded.
 * options: colors of the lines; onPick(x) for clicks.
 * Returns {node, setCursor(x)}.
 */
function lineChart(chart, { colors, onPick } = {}) {
  const names = Object.keys(chart.lines);
  const xRange = extent(chart.x);
  const high = Math.max(...names.map((name) => extent(chart.lines[name])[1]), 1e-9);
  const frame = axes(chart, xRange, chart.range ?? [0, high * 1.05]);
  const { root, x, y } = frame;
  names.forEach((name, k) => {
    const d = pathOf(chart.x, chart.lines[name], x, y);
    root.append(svg("path", { d, ...strokeOf(k, colors), "data-line": name }));
  });
  const cursor = svg("line", { class: "cursor", y1: CHART.top, y2: CHART.height - CHART.bottom, visibility: "hidden" });
  root.append(cursor);
  if (onPick) {
    root.classList.add("pick");
    root.append(svg("title", {}, "a click goes to the frame"));
    root.addEventListener("click", (event) => {
      const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(root.getScreenCTM().inverse());
      const share = (point.x - CHART.left) / (CHART.width - CHART.left - CHART.right);
      onPick(xRange[0] + Math.max(0, Math.min(1, share)) * (xRange[1] - xRange[0]));
    });
  }
  const node = el("div", { class: "chart" }, el("h3", {}, chart.title), legendOf(names, colors), root);
  const setCursor = (value) => {
    for (const name of ["x1", "x2"]) cursor.setAttribute(name, x(value));
    cursor.setAttribute("visibility", "visible");
  };
  return { node, setCursor };
}

/** A chart of horizontal bars: for each name in chart.x one bar of each line. */
function barChart(chart) {
  const names = Object.keys(chart.lines);
  const most = chart.range?.[1] ?? Math.max(...names.flatMap((name) => chart.lines[name]), 1e-9);
  const [height, gap, left, width] = [11, 7, 130, CHART.width];
  const rows = chart.x.length;
  const total = rows * (names.length * height + gap);
  const root = svg("svg", { viewBox: `0 0 ${width} ${total + 4}`, role: "img", "aria-label": `${chart.title}: ${chart.yLabel}` });
  chart.x.forEach((label, row) => {
    const top = row * (names.length * height + gap);
    root.append(svg("text", { x: left - 6, y: top + (names.length * height) / 2 + 4, "text-anchor": "end" }, shorten(label, 20), svg("title", {}, label)));
    names.forEach((name, k) => {
      const value = chart.lines[name][row];
      const length = value === null ? 0 : Math.max(0, value / most) * (width - left - 44);
      const y = top + k * height;
      root.append(
        svg("rect", { x: left, y: y + 1, width: length, height: height - 2, rx: 2, fill: colorOfSeries(k) }),
        svg("text", { x: left + length + 5, y: y + height - 1 }, value === null ? "–" : value.toFixed(3)),
      );
    });
  });
  const legend = names.length > 1 ? legendOf(names) : null;
  return { node: el("div", { class: "chart" }, el("h3", {}, `${chart.title} (${chart.yLabel})`), legend, root), setCursor() {} };
}

/** A chart of the report with its columns decoded. */
function makeChart(packed, options) {
  if (packed.kind === "bars") return barChart(packed);
  const lines = {};
  for (const [name, values] of Object.entries(packed.lines)) lines[name] = decodeColumn(values);
  return lineChart({ ...packed, x: decodeColumn(packed.x), lines }, options);
}
