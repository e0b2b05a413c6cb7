// The frame with its controls: scrubber, speed, keys, jumps to errors.

const SPEEDS = [1, 2, 5, 10, 20, 30, 60];
const KEY_HELP = [
  ["space", "play"], ["← →", "frame"], ["shift ← →", "10 frames"], ["n p", "next, previous error"],
  ["+ − 0", "zoom"], ["g", "ground truth"], ["[ ]", "video"], ["esc", "deselect"],
];

class Player {
  constructor(report, store, pictures, root) {
    Object.assign(this, { report, store, pictures });
    this.canvas = el("canvas", { id: "frame", tabindex: "0", role: "img" });
    this.view = new FrameView(report, this.canvas);
    this.tip = el("div", { class: "tip", hidden: true });
    this.counts = el("div", { class: "counts", id: "counts" });
    this.list = new BoxList(report, store);
    this.zoomMouse = new ZoomMouse(this.canvas, this.view, store, () => this.video);
    root.append(
      el("div", { class: "frame" }, this.canvas, this.tip), this.makeControls(),
      el("div", { class: "below" }, this.counts, this.makeZoom()),
      el("div", { class: "keys" }, ...KEY_HELP.flatMap(([key, text]) => [el("kbd", {}, key), ` ${text}  `])),
      this.list.node,
    );
    this.canvas.addEventListener("click", (event) => this.pick(event));
    this.canvas.addEventListener("mousemove", (event) => this.hover(event));
    this.canvas.addEventListener("mouseleave", () => { this.tip.hidden = true; });
    document.addEventListener("keydown", (event) => this.key(event));
  }

  /** A button that is kept as a property called like its id. */
  makeButton(id, text, label, onclick) {
    this[id] = el("button", { type: "button", id, "aria-label": label, title: label, onclick }, text);
    return this[id];
  }

  makeZoom() {
    return el("div", { class: "zoom" },
      this.makeButton("zoom-out", "−", "Zoom out", () => this.zoom(0.5)),
      this.makeButton("zoom-fit", "1×", "Show the whole frame", () => this.store.set({ zoom: NO_ZOOM })),
      this.makeButton("zoom-in", "+", "Zoom in (or ctrl and wheel); drag to move", () => this.zoom(2)));
  }

  /** Magnify by a ratio: around the selected track where it is in the frame, else the middle. */
  zoom(ratio) {
    const { video, view } = this;
    const { zoom } = this.store.state;
    const chosen = view.drawn.find((item) => view.isSelected(item, this.store.state));
    const half = 2 * zoom.factor;
    const middle = [zoom.x + video.width / half, zoom.y + video.height / half];
    const next = zoomBy(video, zoom, ratio, middle);
    if (!chosen) this.store.set({ zoom: next });
    else {
      const [x1, y1, x2, y2] = boxOf(chosen.boxes, chosen.row);
      this.store.set({ zoom: zoomTo(video, next, [(x1 + x2) / 2, (y1 + y2) / 2]) });
    }
  }

  makeControls() {
    const judged = this.report.kinds.length > 0;
    const button = (...parts) => this.makeButton(...parts);
    this.slider = el("input", { type: "range", id: "scrubber", min: 0, value: 0, "aria-label": "Frame", oninput: () => this.go(Number(this.slider.value)) });
    this.number = el("input", { type: "number", id: "frame-number", "aria-label": "Frame number", onchange: () => this.goToNumber() });
    this.speed = el("select", { id: "speed", "aria-label": "Frames per second", onchange: () => this.store.set({ fps: Number(this.speed.value) }) },
      ...SPEEDS.map((fps) => el("option", { value: fps, selected: fps === this.store.state.fps }, `${fps} fps`)));
    return el("div", { class: "controls" },
      button("play", "▶", "Play", () => this.togglePlay()),
      button("back", "◀|", "Previous frame", () => this.go(this.store.state.frame - 1)),
      button("forth", "|▶", "Next frame", () => this.go(this.store.state.frame + 1)),
      this.slider, this.number, this.speed,
      judged ? button("previous-error", "◀ error", "Previous error", () => this.jump(-1)) : null,
      judged ? button("next-error", "error ▶", "Next error", () => this.jump(1)) : null);
  }

  openVideo(video) {
    this.video = video;
    this.slider.max = video.length - 1;
    this.number.min = video.numbers[0];
    this.number.max = video.numbers[video.length - 1];
  }

  go(frame) {
    this.store.set({ frame: Math.max(0, Math.min(this.video.length - 1, frame)), playing: false });
  }

  goToNumber() {
    this.go(this.video.indexOf(Number(this.number.value)));
  }

  /** The next frame in a direction with an error that is drawn; around the end to the beginning. */
  jump(step) {
    const { length } = this.video;
    for (let k = 1; k <= length; k++) {
      const frame = (((this.store.state.frame + step * k) % length) + length) % length;
      if (this.errors[frame]) {
        this.go(frame);
        return;
      }
    }
  }

  togglePlay() {
    const { state } = this.store;
    const atEnd = state.frame === this.video.length - 1;
    this.store.set({ playing: !state.playing, frame: atEnd && !state.playing ? 0 : state.frame });
    if (!this.store.state.playing) return;
    this.played = performance.now();
    requestAnimationFrame((now) => this.tick(now));
  }

  /** Move on by as many frames as the time since the last move allows. */
  tick(now) {
    const { state } = this.store;
    if (!state.playing) return;
    const steps = Math.floor(((now - this.played) * state.fps) / 1000);
    if (steps > 0) {
      this.played += (steps * 1000) / state.fps;
      const frame = Math.min(this.video.length - 1, state.frame + steps);
      this.store.set({ frame, playing: frame < this.video.length - 1 });
    }
    requestAnimationFrame((later) => this.tick(later));
  }

  /** Draw the current frame as soon as its picture is decoded. */
  async show() {
    const { state } = this.store;
    const { video } = this;
    const frame = state.frame;
    this.showState(state);
    const picture = await this.pictures.load(video, frame);
    if (video !== this.video || frame !== this.store.state.frame) return; // too late
    this.view.draw(video, this.store.state, picture);
    this.list.show(video, this.view.drawn);
    if (state.playing) {
      for (let k = 1; k <= 4; k++) this.pictures.load(video, Math.min(video.length - 1, frame + k));
    }
  }

  showState(state) {
    const { video } = this;
    this.slider.value = state.frame;
    this.number.value = video.numbers[state.frame];
    this["zoom-fit"].textContent = `${Number(state.zoom.factor.toPrecision(2))}×`;
    this["zoom-out"].disabled = state.zoom.factor <= 1;
    this["zoom-in"].disabled = state.zoom.factor >= MOST_ZOOM;
    this.play.textContent = state.playing ? "❚❚" : "▶";
    this.play.setAttribute("aria-label", state.playing ? "Pause" : "Play");
  }

  /** The line below the controls: what the frame has. */
  showCounts(counts, errors) {
    this.errors = errors;
    const { frame } = this.store.state;
    const parts = [`${counts.results[frame]} results`];
    if (this.video.truth) parts.push(`${counts.objects[frame]} objects`);
    const words = parts.join(", ");
    const nodes = [el("b", {}, `Frame ${this.video.numbers[frame]}: `), words];
    if (this.video.judged) {
      this.report.kinds.forEach((kind, k) => {
        nodes.push(", ", swatch(kind.color), el("span", { "data-kind": kind.key }, `${counts.kinds[k][frame]} ${kind.key}`));
      });
    }
    this.counts.replaceChildren(...nodes);
    this.slider.setAttribute("aria-valuetext", this.counts.textContent);
    const none = !errors.some(Boolean);
    for (const id of ["previous-error", "next-error"]) if (this[id]) this[id].disabled = none;
    this.canvas.setAttribute("aria-label", `Frame ${this.video.numbers[frame]} of ${this.video.name}: ${this.counts.textContent}`);
  }

  pick(event) {
    if (this.zoomMouse.dragged) return;
    const item = this.view.rowAt(event.offsetX, event.offsetY);
    const id = item ? item.boxes.ids[item.row] : -1;
    this.store.set({ selected: id < 0 ? null : { isTruth: item.boxes.isTruth, id } });
  }

  hover(event) {
    const item = this.view.rowAt(event.offsetX, event.offsetY);
    this.tip.hidden = item === null;
    if (!item) return;
    const facts = factsOf(this.report, this.video, item, this.store.state.threshold);
    const match = facts.match && `matched to ${facts.match}${facts.iou && `, IoU ${facts.iou}`}`;
    const score = facts.score && `score ${facts.score}`;
    const line = [facts.state, facts.id, facts.class, score].filter(Boolean).join(" · ");
    this.tip.replaceChildren(...[line, match, facts.box].filter(Boolean).map((text) => el("div", {}, text)));
    const left = this.canvas.offsetLeft + event.offsetX;
    this.tip.style.left = `${Math.min(left + 12, this.canvas.parentElement.clientWidth - this.tip.offsetWidth)}px`;
    this.tip.style.top = `${event.offsetY + 14}px`;
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input[type=text], input[type=number], select, #threshold")) return;
    // what has the focus keeps the keys that it uses itself
    if (event.key === " " && event.target.matches("button, input[type=checkbox], summary")) return;
    if (event.target.matches(".table-scroll, .lanes") && /^(Arrow|Home|End)/.test(event.key)) return;
    const { state } = this.store;
    const count = this.report.videos.length;
    const actions = {
      " ": () => this.togglePlay(),
      ArrowLeft: () => this.go(state.frame - (event.shiftKey ? 10 : 1)),
      ArrowRight: () => this.go(state.frame + (event.shiftKey ? 10 : 1)),
      Home: () => this.go(0),
      End: () => this.go(this.video.length - 1),
      n: () => this.jump(1),
      p: () => this.jump(-1),
      g: () => this.store.set({ show: { ...state.show, truth: !state.show.truth } }),
      "[": () => this.store.set({ video: (state.video + count - 1) % count }),
      "]": () => this.store.set({ video: (state.video + 1) % count }),
      "+": () => this.zoom(2),
      "=": () => this.zoom(2), // the same key without shift
      "-": () => this.zoom(0.5),
      0: () => this.store.set({ zoom: NO_ZOOM }),
      Escape: () => this.store.set({ selected: null }),
    };
    if (!(event.key in actions)) return;
    actions[event.key]();
    event.preventDefault();
  }
}
