// Puts the page together.

const THEMES = { auto: "◐ auto", light: "☀ light", dark: "☾ dark" };

function makeTheme(button, redraw) {
  const names = Object.keys(THEMES);
  const root = document.documentElement;
  const apply = (name) => {
    root.dataset.theme = name;
    button.textContent = THEMES[name];
  };
  button.addEventListener("click", () => {
    apply(names[(names.indexOf(root.dataset.theme) + 1) % names.length]);
    redraw();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  apply("auto");
}

function showHead(report) {
  byId("title").append(el("span", { class: "task" }, report.task), report.title);
  byId("facts").append(...Object.entries(report.facts).map(([name, value]) => el("span", {}, `${name}: ${value}`)));
  byId("headline").append(...report.headline.map((score) =>
    el("div", { class: "card", title: score.help },
      el("div", { class: "value", "data-score": score.name, "data-value": score.value }, formatValue(score.value, score)),
      el("div", { class: "name" }, score.name + (score.percent ? " %" : "")))));
  byId("headline").hidden = !report.headline.length;
  byId("overview").hidden = !report.tables.length && !report.charts.length;
  byId("notes").append(...report.notes.map((note) => el("p", {}, note)));
}

/** The first table and chart above the frames, all others below them. */
function showScores(report, store) {
  const tables = report.tables.map((table) => new ScoreTableView(table, store).node);
  const charts = report.charts.map((packed) => makeChart(packed).node);
  byId("tables").append(...tables.slice(0, 1));
  byId("overview").append(...charts.slice(0, 1));
  byId("more-tables").append(...tables.slice(1));
  byId("more-charts").append(...charts.slice(1));
  byId("more").hidden = tables.length < 2 && charts.length < 2;
}

/** Charts of a video: what changes over its frames, then those of the report. */
function videoCharts(report, store, video, counts) {
  const charts = video.packed.charts.map((packed) => makeChart(packed));
  const pick = (number) => store.set({ frame: video.indexOf(Math.round(number)), playing: false });
  const overFrames = (title, yLabel, lines, colors, range = null) => {
    const chart = { title, yLabel, xLabel: "frame", x: video.numbers, lines, range };
    return lineChart(chart, { colors, onPick: pick });
  };
  const timed = [];
  for (const [name, values] of Object.entries(video.packed.overTime)) {
    timed.push(overFrames(name, name, { [name]: decodeColumn(values) }));
  }
  if (report.task !== "SOT") {
    if (video.judged) {
      const lines = { correct: counts.correct };
      report.kinds.forEach((kind, k) => { lines[kind.key] = counts.kinds[k]; });
      // yellow would hardly be seen on white
      const colors = ["var(--found)", ...report.kinds.map((kind) => `color-mix(in srgb, ${kind.color} 75%, var(--ink))`)];
      timed.push(overFrames("Correct boxes and errors", "boxes", lines, colors));
    }
    const lines = video.truth ? { results: counts.results, objects: counts.objects } : { results: counts.results };
    timed.push(overFrames("Boxes over time", "boxes", lines));
  }
  return { nodes: [...timed, ...charts].map((chart) => chart.node), timed };
}

function start() {
  const report = readReport();
  const store = new Store(initialState(report));
  const player = new Player(report, store, new Pictures(), byId("stage"));
  const filters = new FilterPanel(report, store, byId("filters"));
  const timeline = new Timeline(report, store, byId("timeline"));
  const select = byId("video");
  let counts;
  let timed = [];

  const video = () => report.videos[store.state.video];
  const drawCharts = () => {
    const made = videoCharts(report, store, video(), counts);
    byId("video-charts").replaceChildren(...made.nodes);
    timed = made.timed;
    timed.forEach((chart) => chart.setCursor(video().numbers[store.state.frame]));
  };
  const recount = () => {
    counts = countPerFrame(report, video(), store.state);
    filters.showCounts(video(), counts);
    drawCharts();
  };
  const showFrame = () => {
    if (!counts) return; // the video is just being opened
    player.showCounts(counts, errorsPerFrame(counts, store.state));
    player.show();
    timeline.moveCursor();
    timed.forEach((chart) => chart.setCursor(video().numbers[store.state.frame]));
  };
  const refilter = () => {
    recount();
    timeline.update(video(), counts);
    filters.showSelection(video(), store.state);
    showFrame();
  };
  const openVideo = () => {
    const own = video();
    counts = undefined; // of the video before
    select.value = own.index;
    const unknown = report.kinds.length && !own.judged ? "; no ground truth: nothing is compared" : "";
    byId("video-facts").textContent = `${own.length} frames, ${own.width} × ${own.height}${unknown}`;
    byId("video-charts-title").textContent = `Charts of ${own.name}`;
    player.openVideo(own);
    filters.openVideo(own);
    store.set({ frame: 0, playing: false, selected: null, zoom: NO_ZOOM });
    refilter();
  };

  showHead(report);
  showScores(report, store);
  const mark = (own) => (report.kinds.length && !own.judged ? " (no ground truth)" : "");
  select.append(...report.videos.map((own) => el("option", { value: own.index }, own.name + mark(own))));
  select.addEventListener("change", () => store.set({ video: Number(select.value) }));
  store.on(["video"], openVideo);
  store.on(FILTER_KEYS, () => counts && refilter());
  store.on(["selected"], () => {
    if (!counts) return;
    filters.showSelection(video(), store.state);
    timeline.draw();
  });
  store.on(["frame", "selected", "playing", "zoom"], showFrame);
  store.on(["show"], ({ show }) => { filters.truth.input.checked = show.truth; });
  makeTheme(byId("theme"), () => {
    showFrame();
    timeline.draw();
  });
  openVideo();
  followLink(report, store);
  new ResizeObserver(() => timeline.resize()).observe(byId("timeline"));
  new ResizeObserver(() => player.show()).observe(byId("stage"));
}

start();
