// Errors per frame as a strip, and below it a lane for each object and track.

const GUTTER = 64; // CSS pixels left of the lanes, for ids
const LANE = 13; // height of a lane
const STRIP = 54;
const SCROLL_BAR = 15; // room for the scroll bar of the lanes

class Timeline {
  constructor(report, store, root) {
    Object.assign(this, { report, store });
    this.strip = el("canvas", { class: "strip", role: "img" });
    this.canvas = el("canvas", { role: "img", "aria-label": "Tracks over time" });
    this.filler = el("div");
    this.lanesBox = el("div", {
      class: "lanes", tabindex: "0", role: "group", "aria-label": "Tracks; up and down select one",
      onkeydown: (event) => this.key(event),
    }, this.canvas, this.filler);
    this.legend = el("span", { class: "muted" });
    // the only thing that moves while a video plays; the canvases stay as they are
    this.cursor = el("div", { class: "time-cursor" });
    root.append(
      el("div", { class: "timeline-head" }, el("h3", {}, "Time line"), this.legend),
      el("div", { class: "timeline-body" }, this.strip, this.lanesBox, this.cursor),
    );
    this.lanesBox.addEventListener("scroll", () => this.drawLanes());
    this.strip.addEventListener("click", (event) => store.set({ frame: this.frameAt(event), playing: false }));
    this.canvas.addEventListener("click", (event) => this.select(event));
  }

  /** Take over the video and its filtered counts, then draw. */
  update(video, counts) {
    Object.assign(this, { video, counts });
    const { state } = this.store;
    this.lanes = [];
    // the only object of a video has no state of its own: its track tells everything
    const sides = video.judged && Boxes.missCode < 0 ? [video.results] : video.sides;
    for (const boxes of sides) {
      const tracks = tracksOf(boxes).filter((track) => this.passes(track));
      if (!tracks.length) continue;
      this.lanes.push({ heading: boxes.isTruth ? `objects (${tracks.length})` : `tracks (${tracks.length})` });
      for (const track of tracks) {
        this.lanes.push({ track, segments: segmentsOf(track, state.threshold) });
      }
    }
    const words = ["click a bar, or press up and down here, to select"];
    if (sides.length > 1 && video.results.hasIds) words.push("an object has the colours of the tracks that follow it");
    this.legend.textContent = words.join("; ");
    this.resize();
  }

  /** Whether a track has a row that passes the filters. */
  passes(track) {
    return track.rows.some((row) => passes(this.video, track.boxes, row, this.store.state));
  }

  resize() {
    if (!this.video) return;
    const width = Math.max(120, this.cursor.parentElement.clientWidth - SCROLL_BAR);
    this.width = width;
    const total = this.lanes.length * LANE;
    this.visible = Math.min(total, 260);
    this.lanesBox.hidden = !total;
    this.strip.hidden = !this.video.judged;
    sizeCanvas(this.strip, width, STRIP);
    sizeCanvas(this.canvas, width, Math.max(1, this.visible));
    this.filler.style.height = `${Math.max(0, total - this.visible)}px`;
    this.draw();
  }

  draw() {
    if (!this.video) return;
    this.drawStrip();
    this.drawLanes();
    this.moveCursor();
  }

  moveCursor() {
    this.cursor.style.transform = `translateX(${this.xOf(this.store.state.frame + 0.5)}px)`;
  }

  xOf(frame) {
    return GUTTER + (frame / this.video.length) * (this.width - GUTTER);
  }

  frameAt(event) {
    const x = event.clientX - event.target.getBoundingClientRect().left;
    const frame = Math.floor(((x - GUTTER) / (this.width - GUTTER)) * this.video.length);
    return Math.max(0, Math.min(this.video.length - 1, frame));
  }

  /** Errors per frame, stacked by kind; frames that share a pixel show the worst of them. */
  drawStrip() {
    const context = this.start(this.strip);
    if (!this.video.judged) return;
    const { kinds } = this.counts;
    const shown = kinds.map((own, k) => (this.store.state.show.kinds[k] ? own : null));
    const total = errorsPerFrame(this.counts, this.store.state);
    const most = total.reduce((a, b) => Math.max(a, b), 1);
    const bar = Math.max(1, (this.width - GUTTER) / this.video.length);
    for (let frame = 0; frame < this.video.length; frame++) {
      let y = STRIP - 2;
      shown.forEach((own, k) => {
        if (!own?.[frame]) return;
        const height = (own[frame] / most) * (STRIP - 8);
        context.fillStyle = this.report.kinds[k].color;
        context.fillRect(Math.floor(this.xOf(frame)), y - height, Math.ceil(bar), height);
        y -= height;
      });
    }
    context.fillStyle = themeColor("--muted");
    context.fillText(`${most}`, 4, 12);
    context.fillText("errors", 4, STRIP - 6);
    this.strip.setAttribute("aria-label", `Errors per frame, at most ${most}`);
  }

  drawLanes() {
    if (!this.lanes.length) return;
    const context = this.start(this.canvas);
    const top = this.lanesBox.scrollTop;
    const ink = themeColor("--muted");
    const first = Math.floor(top / LANE);
    const last = Math.min(this.lanes.length, Math.ceil((top + this.visible) / LANE));
    for (let k = first; k < last; k++) {
      const y = k * LANE - top;
      const lane = this.lanes[k];
      context.fillStyle = ink;
      if (lane.heading) context.fillText(lane.heading, 4, y + LANE - 3);
      else this.drawLane(context, lane, y, ink);
    }
  }

  drawLane(context, { track, segments }, y, ink) {
    const chosen = this.isChosen(track);
    if (chosen) {
      context.fillStyle = themeColor("--fill");
      context.fillRect(0, y, this.width, LANE);
    }
    context.fillStyle = chosen ? themeColor("--ink") : ink;
    context.fillText(`${track.boxes.isTruth ? "o" : ""}${track.id}`, 16, y + LANE - 3);
    for (const segment of segments) {
      const [x, end] = [this.xOf(segment.first), this.xOf(segment.last + 1)];
      const { color, thin } = this.lookOf(track, segment);
      context.fillStyle = color;
      const height = thin ? 3 : LANE - 4;
      context.fillRect(x, y + (LANE - height) / 2, Math.max(1.5, end - x), height);
    }
  }

  /** Colour of a piece of a lane; what nobody follows is thin. */
  lookOf(track, { code, partner }) {
    const { palette, kinds } = this.report;
    const own = palette[track.id % palette.length];
    if (code >= FIRST_ERROR) return { color: kinds[code - FIRST_ERROR].color, thin: track.boxes.isTruth };
    if (!track.boxes.isTruth) return { color: code === CORRECT || !isJudged(track.boxes) ? own : themeColor("--grey") };
    if (code !== CORRECT) return { color: isJudged(track.boxes) ? themeColor("--grey") : own, thin: true };
    return { color: partner < 0 ? themeColor("--found") : palette[partner % palette.length] };
  }

  start(canvas) {
    const context = canvas.getContext("2d");
    const ratio = window.devicePixelRatio || 1;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.font = "10px system-ui, sans-serif";
    return context;
  }

  /** Select the track of the bar that was clicked, and go to that frame. */
  select(event) {
    const y = event.clientY - this.canvas.getBoundingClientRect().top + this.lanesBox.scrollTop;
    const lane = this.lanes[Math.floor(y / LANE)];
    if (!lane?.track) return;
    const { id, boxes } = lane.track;
    this.store.set({ selected: { isTruth: boxes.isTruth, id }, frame: this.frameAt(event), playing: false });
  }

  /** Up and down: select the track of the lane above or below and go to where it begins. */
  key(event) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    let place = this.lanes.findIndex((lane) => lane.track && this.isChosen(lane.track)) + step;
    while (this.lanes[place]?.heading) place += step;
    const track = this.lanes[place]?.track;
    if (!track) return;
    const top = this.lanesBox.scrollTop;
    this.lanesBox.scrollTop = clamp(top, (place + 1) * LANE - this.visible, place * LANE);
    this.store.set({ selected: { isTruth: track.boxes.isTruth, id: track.id }, frame: track.first, playing: false });
  }

  isChosen({ boxes, id }) {
    const { selected } = this.store.state;
    return selected !== null && selected.isTruth === boxes.isTruth && selected.id === id;
  }
}
