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

/** Charts of a video: those of the report, then counts over its frames. */
function videoCharts(report, store, video, counts) {
  const charts = video.packed.charts.map((packed) => makeChart(packed));
  const pick = (number) => {
    const frame = video.numbers.findIndex((own) => own >= number);
    store.set({ frame: frame < 0 ? video.length - 1 : frame, playing: false });
  };
  const overFrames = (title, yLabel, lines, colors, range = null) => {
    const chart = { title, yLabel, xLabel: "frame", x: video.numbers, lines, range };
    return lineChart(chart, { colors, onPick: pick });
  };
  const timed = [];
  for (const [name, values] of Object.entries(video.packed.overTime)) {
    timed.push(overFrames(name, name, { [name]: decodeColumn(values) }));
  }
  if (report.task !== "SOT") {
    if (report.kinds.length && video.truth) {
      const lines = { correct: counts.correct };
      report.kinds.forEach((kind, k) => { lines[kind.key] = counts.kinds[k]; });
      const colors = ["var(--found)", ...report.kinds.map((kind) => kind.color)];
      timed.push(overFrames("Correct boxes and errors", "boxes", lines, colors));
    }
    const lines = video.truth ? { results: counts.results, objects: counts.objects } : { results: counts.results };
    timed.push(overFrames("Boxes over time", "boxes", lines));
  }
  return { nodes: [...charts, ...timed].map((chart) => chart.node), timed };
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
    byId("video-facts").textContent = `${own.length} frames, ${own.width} × ${own.height}`;
    byId("video-charts-title").textContent = `Charts of ${own.name}`;
    player.openVideo(own);
    filters.openVideo(own);
    store.set({ frame: 0, playing: false, selected: null });
    refilter();
  };

  showHead(report);
  byId("tables").append(...report.tables.map((table) => new ScoreTableView(table, store).node));
  byId("overall-charts").append(...report.charts.map((packed) => makeChart(packed).node));
  byId("overview").classList.toggle("two", report.charts.length > 0 && report.charts.length < 3);
  select.append(...report.videos.map((own) => el("option", { value: own.index }, own.name)));
  select.addEventListener("change", () => store.set({ video: Number(select.value) }));
  store.on(["video"], openVideo);
  store.on(FILTER_KEYS, () => counts && refilter());
  store.on(["selected"], () => {
    if (!counts) return;
    filters.showSelection(video(), store.state);
    timeline.draw();
  });
  store.on(["frame", "selected", "playing"], showFrame);
  store.on(["show"], ({ show }) => { filters.truth.input.checked = show.truth; });
  makeTheme(byId("theme"), () => {
    showFrame();
    timeline.draw();
  });
  openVideo();
  new ResizeObserver(() => timeline.resize()).observe(byId("timeline"));
  new ResizeObserver(() => player.show()).observe(byId("stage"));
}

start();
