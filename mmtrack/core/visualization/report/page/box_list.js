// What is known of single boxes: in the tip under the mouse, and as a table of the frame.

const nameOfClass = (report, label) => report.classes[label] ?? `class ${label}`;

/** What was made of a box: the key of an error, or a word. */
function nameOfState(report, boxes, code) {
  if (code >= FIRST_ERROR) return report.kinds[code - FIRST_ERROR].key;
  if (code === CORRECT) return boxes.isTruth ? "found" : "correct";
  return isJudged(boxes) ? "not counted" : "";
}

/** Overlap of two boxes x1, y1, x2, y2. */
function iouOf(a, b) {
  const across = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const down = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  const shared = Math.max(0, across) * Math.max(0, down);
  const area = (box) => (box[2] - box[0]) * (box[3] - box[1]);
  return shared / (area(a) + area(b) - shared);
}

const boxOf = (boxes, row) => boxes.boxes.subarray(4 * row, 4 * row + 4);

/** Row of the other side that a row is matched to in its frame, -1 for none. */
function partnerRow(video, boxes, row, threshold) {
  const other = boxes.isTruth ? video.results : video.truth;
  const frame = boxes.frames[row];
  const partner = boxes.partnerOf(row, threshold);
  if (!other) return -1;
  for (let k = other.starts[frame]; k < other.starts[frame + 1]; k++) {
    // detections have no ids: then only they know what they are matched to
    const matched = other.ids[k] >= 0 ? partner >= 0 && other.ids[k] === partner
      : boxes.ids[row] >= 0 && other.partners[k] === boxes.ids[row];
    if (matched) return k;
  }
  return -1;
}

/** Texts about a box: state, id, class, score, box, match, iou; empty for what there is not. */
function factsOf(report, video, { boxes, row, code }, threshold) {
  const box = boxOf(boxes, row);
  const [x1, y1, x2, y2] = box;
  const match = partnerRow(video, boxes, row, threshold);
  const other = boxes.isTruth ? video.results : video.truth;
  const idOf = (side, id) => (id < 0 ? "" : `${side.isTruth ? "object" : "track"} ${id}`);
  return {
    state: nameOfState(report, boxes, code),
    id: idOf(boxes, boxes.ids[row]) || (boxes.isTruth ? "object" : "detection"),
    class: report.classes.length > 1 ? nameOfClass(report, boxes.labels[row]) : "",
    score: boxes.isTruth ? "" : boxes.scores[row].toFixed(3),
    box: [x1, y1, x2 - x1, y2 - y1].map((side) => side.toFixed(1)).join(", "),
    match: match < 0 ? "" : idOf(other, other.ids[match]) || "detection",
    iou: match < 0 || boxes.polygons || other.polygons ? "" : iouOf(box, boxOf(other, match)).toFixed(2),
  };
}

/** The boxes that are drawn, as a table; filled only while it is open. */
class BoxList {
  constructor(report, store) {
    Object.assign(this, { report, store });
    const headings = { state: "state", id: "id", class: "class", score: "score", box: "x, y, width, height", match: "matched to", iou: "IoU" };
    if (report.classes.length < 2) delete headings.class;
    this.keys = Object.keys(headings);
    this.body = el("tbody");
    this.node = el("details", { id: "box-list", ontoggle: () => this.fill() },
      el("summary", {}, "Boxes of this frame"),
      el("div", { class: "table-scroll", tabindex: "0" },
        el("table", { "aria-label": "Boxes of this frame" },
          el("thead", {}, el("tr", {}, ...Object.values(headings).map((text) => el("th", { scope: "col" }, text)))), this.body)));
  }

  /** Take over what is drawn: {boxes, row, code}. */
  show(video, drawn) {
    Object.assign(this, { video, drawn });
    this.fill();
  }

  fill() {
    if (!this.node.open || !this.video) return;
    const { threshold } = this.store.state;
    // what is drawn last is on top: what is selected, then errors
    this.body.replaceChildren(...[...this.drawn].reverse().map((item) => {
      const facts = factsOf(this.report, this.video, item, threshold);
      const { isTruth, ids } = item.boxes;
      const id = ids[item.row];
      const select = () => this.store.set({ selected: { isTruth, id } });
      if (id >= 0) facts.id = el("button", { type: "button", onclick: select }, facts.id);
      return el("tr", {}, ...this.keys.map((key) => el("td", {}, facts[key])));
    }));
  }
}
