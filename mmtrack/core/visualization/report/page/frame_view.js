// The current frame on a canvas: picture, masks, boxes, errors, trail of the selected track.

const MASK_OPACITY = 0.45;
const ERROR_OPACITY = 0.18;
const MOST_FILLED = 12; // more errors in a frame are filled less, so that the picture stays visible
const TRAIL_FRAMES = 60;

class FrameView {
  constructor(report, canvas) {
    this.report = report;
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.maskCanvas = document.createElement("canvas");
    this.drawn = []; // {boxes, row} in the order of drawing, for clicks
  }

  /** Colour of an identity; classes take the place of ids where detections have none. */
  colorOf(boxes, row) {
    const { palette, classColors } = this.report;
    const key = boxes.ids[row] >= 0 ? boxes.ids[row] : classColors[boxes.labels[row]];
    return palette[key % palette.length];
  }

  draw(video, state, picture) {
    const started = performance.now();
    const ratio = this.resize(video);
    this.zoom = state.zoom;
    this.scale = (state.zoom.factor * this.canvas.width) / video.width;
    this.context.setTransform(1, 0, 0, 1, 0, 0);
    this.drawPicture(video, state.frame, picture, ratio);
    this.canvas.style.touchAction = state.zoom.factor > 1 ? "none" : "auto";
    this.drawn = this.rowsToDraw(video, state);
    const errors = this.drawn.filter(({ code }) => code >= FIRST_ERROR).length;
    this.errorOpacity = ERROR_OPACITY * Math.min(1, MOST_FILLED / errors);
    if (state.show.masks) this.drawMasks(video, state);
    if (state.show.trail && state.selected) this.drawTrail(video, state, ratio);
    for (const item of this.drawn) this.drawBox(item, state, ratio);
    if (state.show.labels) for (const item of this.drawn) this.drawCaption(item, state, ratio);
    Object.assign(this.canvas.dataset, {
      video: video.index, frame: state.frame, boxes: this.drawn.length,
      scale: this.scale, x: state.zoom.x, y: state.zoom.y,
      ms: (performance.now() - started).toFixed(3),
    });
  }

  /** Position on the canvas, in its pixels, of a point of the frame. */
  place(x, y) {
    return [(x - this.zoom.x) * this.scale, (y - this.zoom.y) * this.scale];
  }

  /** Point of the frame at a position on the canvas in CSS pixels. */
  pointOf(x, y) {
    const scale = this.scale / (window.devicePixelRatio || 1);
    return [this.zoom.x + x / scale, this.zoom.y + y / scale];
  }

  /** Draw an image of the whole frame, of whatever size, as far as it is seen. */
  drawWhole(image, video) {
    const [across, down] = [image.width / video.width, image.height / video.height];
    const { factor, x, y } = this.zoom;
    const part = [x * across, y * down, image.width / factor, image.height / factor];
    this.context.drawImage(image, ...part, 0, 0, this.canvas.width, this.canvas.height);
  }

  resize(video) {
    const room = this.canvas.parentElement.clientWidth;
    const highest = Math.max(260, 0.68 * window.innerHeight);
    const width = Math.max(1, Math.min(room, (highest * video.width) / video.height));
    return sizeCanvas(this.canvas, Math.round(width), Math.round((width * video.height) / video.width));
  }

  drawPicture(video, frame, picture, ratio) {
    const { context, canvas } = this;
    context.globalAlpha = 1;
    context.fillStyle = themeColor("--blank");
    context.fillRect(0, 0, canvas.width, canvas.height);
    if (!picture) return;
    this.drawWhole(picture.image, video);
    if (picture.frame === frame) return;
    // an older picture: dimmed, so that nobody takes boxes beside it for errors
    context.fillStyle = "rgba(20, 24, 32, 0.6)";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.font = `${12 * ratio}px system-ui, sans-serif`;
    context.fillStyle = "#ffffff";
    context.fillText(`picture of frame ${video.numbers[picture.frame]}`, 8 * ratio, canvas.height - 8 * ratio);
  }

  /** Rows of the frame that are drawn: objects, results, errors, and on top what is selected. */
  rowsToDraw(video, state) {
    const rows = [];
    for (const boxes of video.sides) {
      for (let row = boxes.starts[state.frame]; row < boxes.starts[state.frame + 1]; row++) {
        const selected = this.isSelected({ boxes, row }, state); // drawn whatever is switched off
        if (!selected && !(passes(video, boxes, row, state) && isShown(boxes, row, state))) continue;
        const code = boxes.stateOf(row, state.threshold);
        const order = selected ? 4 : (code >= FIRST_ERROR ? 2 : 0) + (boxes.isTruth ? 0 : 1);
        rows.push({ boxes, row, code, order });
      }
    }
    return rows.sort((a, b) => a.order - b.order);
  }

  isSelected({ boxes, row }, state) {
    const { selected } = state;
    return selected !== null && selected.isTruth === boxes.isTruth && selected.id === boxes.ids[row];
  }

  /** Whether a row is what the selected track is matched to in this frame. */
  isPartner({ boxes, row }, state) {
    const { selected } = state;
    return selected !== null && selected.isTruth !== boxes.isTruth
      && boxes.partnerOf(row, state.threshold) === selected.id;
  }

  styleOf(item, state, ratio) {
    const { boxes, row, code } = item;
    const selected = this.isSelected(item, state);
    const kind = code >= FIRST_ERROR ? this.report.kinds[code - FIRST_ERROR] : null;
    let color = boxes.isTruth ? "#ffffff" : this.colorOf(boxes, row);
    if (kind && state.show.kinds[code - FIRST_ERROR]) color = kind.color;
    else if (code === NOT_COUNTED && isJudged(boxes)) color = "#9a9a9a";
    const dashed = (boxes.isTruth && !kind) || (code === NOT_COUNTED && isJudged(boxes));
    return {
      color, selected,
      isError: kind !== null && color === kind.color,
      width: (selected ? 4 : kind ? 3 : 2) * ratio,
      dash: dashed ? [5 * ratio, 4 * ratio] : [],
      alpha: state.selected && !selected && !this.isPartner(item, state) ? 0.45 : 1,
    };
  }

  /** Outline of a row in whole canvas pixels, which keeps its lines sharp. */
  outlineOf({ boxes, row }) {
    const points = boxes.polygons
      ? boxes.polygons.subarray(8 * row, 8 * row + 8)
      : rectangle(boxes.boxes.subarray(4 * row, 4 * row + 4));
    const path = new Path2D();
    for (let k = 0; k < 8; k += 2) {
      path.lineTo(...this.place(points[k], points[k + 1]).map(Math.round));
    }
    path.closePath();
    return path;
  }

  drawBox(item, state, ratio) {
    const { context } = this;
    const style = this.styleOf(item, state, ratio);
    const path = this.outlineOf(item);
    context.setLineDash([]);
    if (style.isError) {
      context.globalAlpha = this.errorOpacity * style.alpha;
      context.fillStyle = style.color;
      context.fill(path);
    }
    context.globalAlpha = style.alpha;
    if (style.selected || item.boxes.isTruth) {
      context.strokeStyle = style.selected ? "#ffffff" : "rgba(0, 0, 0, 0.6)";
      context.lineWidth = style.width + 2 * ratio;
      context.stroke(path);
    }
    context.setLineDash(style.dash);
    context.strokeStyle = style.color;
    context.lineWidth = style.width;
    context.stroke(path);
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  /** Text beside a box: the kind of error, the id, and the class where there are several. */
  captionOf({ boxes, row, code }) {
    const words = [];
    if (code >= FIRST_ERROR) words.push(this.report.kinds[code - FIRST_ERROR].key);
    if (boxes.ids[row] >= 0) words.push(String(boxes.ids[row]));
    if (this.report.classes.length > 1) words.push(shorten(nameOfClass(this.report, boxes.labels[row]), 24));
    return words.join(" ");
  }

  drawCaption(item, state, ratio) {
    const { context, canvas } = this;
    const style = this.styleOf(item, state, ratio);
    const text = this.captionOf(item);
    if (!text || (item.boxes.isTruth && item.code < FIRST_ERROR && !style.selected)) return;
    const size = 11 * ratio;
    context.font = `600 ${size}px system-ui, sans-serif`;
    const width = context.measureText(text).width + 6 * ratio;
    const height = size + 4 * ratio;
    const [x1, y1, x2, y2] = item.boxes.boxes.subarray(4 * item.row, 4 * item.row + 4);
    const [left, top] = this.place(x1, y1);
    const [right, bottom] = this.place(x2, y2);
    if (right < 0 || bottom < 0 || left > canvas.width || top > canvas.height) return; // not seen
    const x = clamp(left - style.width / 2, 0, canvas.width - width);
    const y = Math.max(0, top - height);
    context.globalAlpha = style.alpha;
    context.fillStyle = style.color;
    context.fillRect(x, y, width, height);
    context.fillStyle = inkOn(style.color);
    context.fillText(text, x + 3 * ratio, y + size);
    context.globalAlpha = 1;
  }

  /** Masks of the drawn rows: filled for results, outlined for objects. */
  drawMasks(video, state) {
    const sided = this.drawn.filter(({ boxes, row }) => boxes.masks?.[row]);
    if (!sided.length) return;
    const [height, width] = sided[0].boxes.maskSize;
    Object.assign(this.maskCanvas, { width, height });
    const context = this.maskCanvas.getContext("2d");
    const image = context.createImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    for (const item of sided) {
      const { color } = this.styleOf(item, state, 1);
      paintMask(pixels, item.boxes.masks[item.row], height, width, color, item.boxes.isTruth);
    }
    context.putImageData(image, 0, 0);
    this.context.globalAlpha = MASK_OPACITY;
    this.drawWhole(this.maskCanvas, video);
    this.context.globalAlpha = 1;
  }

  /** Where the selected track stood, at the middle of the lower edge of its boxes. */
  drawTrail(video, state, ratio) {
    const track = findTrack(video, state.selected);
    if (!track) return;
    const { context } = this;
    const { boxes } = track;
    const recent = track.rows.filter(
      (row) => boxes.frames[row] <= state.frame && boxes.frames[row] > state.frame - TRAIL_FRAMES,
    );
    const path = new Path2D();
    for (const row of recent) {
      const [x1, , x2, y2] = boxes.boxes.subarray(4 * row, 4 * row + 4);
      path.lineTo(...this.place((x1 + x2) / 2, y2));
    }
    const color = boxes.isTruth ? "#ffffff" : this.colorOf(boxes, track.rows[0]);
    for (const [width, style] of [[4.5, "rgba(0, 0, 0, 0.6)"], [2.5, color]]) {
      context.lineWidth = width * ratio;
      context.strokeStyle = style;
      context.stroke(path);
    }
  }

  /** The drawn row with the smallest box around a point of the canvas in CSS pixels, or null. */
  rowAt(x, y) {
    const [px, py] = this.pointOf(x, y);
    let best = null;
    let smallest = Infinity;
    for (const item of this.drawn) {
      const [x1, y1, x2, y2] = item.boxes.boxes.subarray(4 * item.row, 4 * item.row + 4);
      const area = (x2 - x1) * (y2 - y1);
      if (x1 <= px && px <= x2 && y1 <= py && py <= y2 && area < smallest) {
        [best, smallest] = [item, area];
      }
    }
    return best;
  }
}

const rectangle = ([x1, y1, x2, y2]) => [x1, y1, x2, y1, x2, y2, x1, y2];

/**
 * Paint a mask, whose runs go down the columns, into pixels (rows of the image).
 * With outline only the pixels at its border.
 */
function paintMask(pixels, text, height, width, color, outline) {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
  const paint = (255 << 24) | (b << 16) | (g << 8) | r;
  const runs = decodeRuns(text);
  let inside = null;
  if (outline) inside = new Uint8Array(height * width); // column by column, as the runs
  let at = 0;
  runs.forEach((run, k) => {
    if (k % 2) {
      for (let i = at; i < at + run; i++) {
        if (inside) inside[i] = 1;
        else pixels[(i % height) * width + Math.floor(i / height)] = paint;
      }
    }
    at += run;
  });
  if (!inside) return;
  for (let i = 0; i < inside.length; i++) {
    if (!inside[i]) continue;
    const y = i % height;
    const border = y === 0 || y === height - 1 || !inside[i - 1] || !inside[i + 1]
      || !inside[i - height] || !inside[i + height];
    if (border) pixels[y * width + Math.floor(i / height)] = paint;
  }
}
