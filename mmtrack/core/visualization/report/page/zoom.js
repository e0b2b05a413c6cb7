// Which part of the frame the canvas shows.

const NO_ZOOM = { factor: 1, x: 0, y: 0 }; // x and y: the corner on the left above, in pixels of the frame
const MOST_ZOOM = 16;

const clamp = (value, low, high) => Math.max(low, Math.min(high, value));

/** A part of the frame by its corner, moved so that nothing beyond the frame is seen. */
function zoomAt(video, factor, x, y) {
  return {
    factor,
    x: clamp(x, 0, video.width * (1 - 1 / factor)),
    y: clamp(y, 0, video.height * (1 - 1 / factor)),
  };
}

/** Magnify by a ratio; the point of the frame at (x, y) stays where it is on the canvas. */
function zoomBy(video, zoom, ratio, [x, y]) {
  const factor = clamp(zoom.factor * ratio, 1, MOST_ZOOM);
  const kept = zoom.factor / factor;
  return zoomAt(video, factor, x - (x - zoom.x) * kept, y - (y - zoom.y) * kept);
}

/** The same magnification with the point of the frame at (x, y) in the middle, as far as can be. */
function zoomTo(video, { factor }, [x, y]) {
  return zoomAt(video, factor, x - video.width / (2 * factor), y - video.height / (2 * factor));
}

/** Zooming with the mouse on a canvas; dragging moves a magnified frame. */
class ZoomMouse {
  constructor(canvas, view, store, videoOf) {
    Object.assign(this, { canvas, view, store, videoOf });
    this.dragged = false; // whether the last press moved the frame, so that its click selects nothing
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
  }

  /** Wheel with ctrl, which is also what pinching a touch pad sends; without it the page scrolls. */
  wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const point = this.view.pointOf(event.offsetX, event.offsetY);
    const { zoom } = this.store.state;
    this.store.set({ zoom: zoomBy(this.videoOf(), zoom, 2 ** (-event.deltaY / 200), point) });
  }

  press(event) {
    this.dragged = false;
    if (event.button !== 0 || this.store.state.zoom.factor === 1) return;
    this.start = { point: this.view.pointOf(event.offsetX, event.offsetY), x: event.offsetX, y: event.offsetY };
    this.canvas.setPointerCapture(event.pointerId);
  }

  move(event) {
    if (!(event.buttons & 1) || !this.start) {
      this.start = null;
      return;
    }
    const { start } = this;
    if (Math.hypot(event.offsetX - start.x, event.offsetY - start.y) > 4) this.dragged = true;
    if (!this.dragged) return;
    const [x, y] = this.view.pointOf(event.offsetX, event.offsetY);
    const { zoom } = this.store.state;
    const moved = zoomAt(this.videoOf(), zoom.factor, zoom.x + start.point[0] - x, zoom.y + start.point[1] - y);
    this.store.set({ zoom: moved });
  }
}
