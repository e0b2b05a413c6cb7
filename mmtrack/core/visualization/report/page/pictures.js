// Pictures of frames: base64 text in the page, decoded when they are needed.

const KEPT_PICTURES = 64;

class Pictures {
  constructor() {
    this.lines = new Map(); // by video
    this.cache = new Map(); // "video/position" to a promise of an image, the latest last
  }

  /** Position in video.pictures of the last picture at or before a frame, -1 for none. */
  placeOf(video, frame) {
    let [low, high] = [0, video.pictures.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (video.pictures[middle] <= frame) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Promise of {image, frame} for a frame, or of null where there is no picture. */
  load(video, frame) {
    const position = this.placeOf(video, frame);
    if (position < 0) return Promise.resolve(null);
    const key = `${video.index}/${position}`;
    const known = this.cache.get(key);
    if (known) this.cache.delete(key);
    const picture = known ?? this.decode(video, position);
    this.cache.set(key, picture);
    if (this.cache.size > KEPT_PICTURES) this.cache.delete(this.cache.keys().next().value);
    return picture;
  }

  async decode(video, position) {
    if (!this.lines.has(video.index)) {
      this.lines.set(video.index, byId(`pictures-${video.index}`).textContent.split("\n"));
    }
    const image = new Image();
    image.src = `data:image/webp;base64,${this.lines.get(video.index)[position]}`;
    await image.decode();
    return { image, frame: video.pictures[position] };
  }
}
