// Beside the frame: what is drawn, and what is known of the selected track.

function checkbox(text, checked, onchange, mark) {
  const input = el("input", { type: "checkbox", checked, onchange: () => onchange(input.checked) });
  const output = el("output");
  const name = el("span", { class: "name" }, text);
  return { node: el("label", { class: "check" }, input, mark, name, output), input, output, name };
}

class FilterPanel {
  constructor(report, store, root) {
    Object.assign(this, { report, store, root });
    this.boxes = this.makeShow();
    this.classes = el("fieldset", { id: "classes" });
    this.idError = el("div", { class: "error-text", role: "status" });
    this.ids = el("input", { type: "text", id: "ids", placeholder: "all; or 3, 7-9, o4", autocomplete: "off", oninput: () => this.readIds() });
    this.slider = el("input", { type: "range", id: "threshold", min: 0, max: 100, value: 0, oninput: () => this.readThreshold() });
    this.sliderText = el("output", { for: "threshold" });
    this.scoreField = el("fieldset", {}, el("legend", {}, el("label", { for: "threshold" }, "Least score "), this.sliderText), this.slider);
    this.selection = el("div", { class: "selection", id: "selection", "aria-live": "polite" });
    root.append(
      this.boxes, this.classes,
      el("fieldset", {}, el("legend", {}, el("label", { for: "ids" }, "Ids (o for objects)")), this.ids, this.idError),
      this.scoreField, this.selection,
    );
  }

  setShow(changes) {
    this.store.set({ show: { ...this.store.state.show, ...changes } });
  }

  makeShow() {
    const { show } = this.store.state;
    const kinds = this.report.kinds;
    const { palette } = this.report;
    const everyId = swatch(`conic-gradient(${[0, 1, 2, 3, 4].map((k) => `${palette[k]} ${72 * k}deg ${72 * k + 72}deg`)})`);
    this.correct = checkbox("", show.correct, (correct) => this.setShow({ correct }), everyId);
    this.kinds = kinds.map((kind, k) => checkbox(`${kind.key}: ${kind.name}`, show.kinds[k], (on) => {
      this.setShow({ kinds: this.store.state.show.kinds.map((old, i) => (i === k ? on : old)) });
    }, swatch(kind.color)));
    this.notCounted = checkbox("not counted", show.notCounted, (notCounted) => this.setShow({ notCounted }), swatch("#9a9a9a", "dashed"));
    this.truth = checkbox("ground truth", show.truth, (truth) => this.setShow({ truth }), swatch("#ffffff", "dashed"));
    this.masks = checkbox("masks", show.masks, (masks) => this.setShow({ masks }));
    const labels = checkbox("captions", show.labels, (on) => this.setShow({ labels: on }));
    const trail = checkbox("trail of the selected track", show.trail, (on) => this.setShow({ trail: on }));
    const nodes = [this.correct, ...this.kinds, this.notCounted, this.truth, this.masks, labels, trail];
    nodes.forEach(({ input }, k) => { input.id = `show-${k}`; });
    this.correct.input.id = "show-correct";
    this.truth.input.id = "show-truth";
    kinds.forEach((kind, k) => { this.kinds[k].input.id = `show-${kind.key}`; });
    return el("fieldset", { id: "show" }, el("legend", {}, "Draw"), ...nodes.map(({ node }) => node));
  }

  readIds() {
    try {
      this.store.set({ ids: parseIds(this.ids.value) });
      this.idError.textContent = "";
      this.ids.removeAttribute("aria-invalid");
    } catch (error) {
      this.idError.textContent = error.message; // the last valid filter stays
      this.ids.setAttribute("aria-invalid", "true");
    }
  }

  readThreshold() {
    const [low, high] = this.scoreRange;
    const value = low + (Number(this.slider.value) / 100) * (high - low);
    this.store.set({ threshold: Number(this.slider.value) === 0 ? -Infinity : value });
    this.showThreshold();
  }

  showThreshold() {
    const { threshold } = this.store.state;
    const best = threshold === this.report.leastScore ? " (best F1)" : "";
    this.sliderText.textContent = threshold === -Infinity ? "(all)" : threshold.toFixed(2) + best;
    this.slider.setAttribute("aria-valuetext", this.sliderText.textContent);
  }

  /** Fit the controls to another video. */
  openVideo(video) {
    this.scoreRange = extent(video.results.scores);
    const [low, high] = this.scoreRange;
    const { threshold } = this.store.state;
    this.scoreField.hidden = !(high > low) && threshold === -Infinity;
    this.slider.value = clamp((100 * (threshold - low)) / (high - low || 1), 0, 100);
    this.showThreshold();
    const colored = video.results.hasIds ? "id" : "class";
    this.correct.name.textContent = `${video.judged ? "correct" : "results"} (${colored} colours)`;
    for (const { node } of [...this.kinds, this.notCounted]) node.hidden = !video.judged;
    this.truth.node.hidden = video.truth === null;
    this.masks.node.hidden = !video.sides.some((boxes) => boxes.masks);
    const labels = new Set(video.sides.flatMap((boxes) => Array.from(new Set(boxes.labels))));
    this.classes.hidden = labels.size < 2;
    const list = el("div", { class: "classes" });
    for (const label of Array.from(labels).sort((a, b) => a - b)) {
      const name = this.report.classes[label] ?? `class ${label}`;
      const { node, input } = checkbox(name, !this.store.state.hiddenClasses.has(label), (on) => this.toggleClass(label, on));
      input.dataset.label = label;
      list.append(node);
    }
    const all = (text, hiddenClasses) => el("button", { type: "button", onclick: () => {
      this.store.set({ hiddenClasses });
      list.querySelectorAll("input").forEach((input) => { input.checked = !hiddenClasses.has(Number(input.dataset.label)); });
    } }, text);
    const chips = el("span", { class: "chips" }, all("all", new Set()), all("none", labels));
    this.classes.replaceChildren(el("legend", {}, "Classes ", chips), list);
  }

  toggleClass(label, on) {
    const hidden = new Set(this.store.state.hiddenClasses);
    if (on) hidden.delete(label);
    else hidden.add(label);
    this.store.set({ hiddenClasses: hidden });
  }

  /** Numbers of the whole video beside the check boxes. */
  showCounts(video, counts) {
    const sum = (values) => values.reduce((a, b) => a + b, 0);
    this.correct.output.textContent = sum(video.judged ? counts.correct : counts.results);
    this.kinds.forEach(({ output }, k) => { output.textContent = sum(counts.kinds[k]); });
    this.truth.output.textContent = sum(counts.objects);
  }

  showSelection(video, state) {
    const track = state.selected && findTrack(video, state.selected);
    if (!track) {
      this.selection.replaceChildren(el("p", { class: "muted" }, "Click a box or a bar of the time line to follow a track."));
      return;
    }
    const { boxes } = track;
    const numbers = video.numbers;
    const entries = [
      ["frames", `${numbers[track.first]} to ${numbers[track.last]}`],
      ["boxes", String(track.rows.length)],
    ];
    if (this.report.classes.length) entries.push(["class", nameOfClass(this.report, boxes.labels[track.rows[0]])]);
    for (const [code, count] of countStates(track, state.threshold)) {
      entries.push([nameOfState(this.report, boxes, code) || "not compared", String(count)]);
    }
    const partners = partnersOf(track, state.threshold);
    if (partners.length) {
      const text = partners.slice(0, 6).map(([id, count]) => `${id} (${count})`).join(", ");
      entries.push([boxes.isTruth ? "followed by" : "follows object", partners.length > 6 ? `${text}, …` : text]);
    }
    this.selection.replaceChildren(
      el("h3", {}, swatch(this.report.palette[track.id % this.report.palette.length]), boxes.isTruth ? `Object ${track.id}` : `Track ${track.id}`),
      el("dl", {}, ...entries.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])),
      this.makeChips(video, track, state),
    );
  }

  /** Buttons to the ends of a track and to where something changes. */
  makeChips(video, track, state) {
    const go = (frame, text) => el("button", { type: "button", onclick: () => this.store.set({ frame, playing: false }) }, text);
    const chips = [go(track.first, "first"), go(track.last, "last")];
    for (const { first, code } of segmentsOf(track, state.threshold)) {
      if (code < FIRST_ERROR || chips.length >= 14) continue;
      chips.push(go(first, `${this.report.kinds[code - FIRST_ERROR].key} ${video.numbers[first]}`));
    }
    chips.push(el("button", { type: "button", onclick: () => this.store.set({ selected: null }) }, "deselect"));
    return el("div", { class: "chips" }, ...chips);
  }
}
