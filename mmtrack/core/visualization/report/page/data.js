// The data of the page: columns of bytes become typed arrays when a video is first opened.

const NOT_COUNTED = 0;
const CORRECT = 1;
const FIRST_ERROR = 2;

const ARRAYS = {
  u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, i2: Int16Array, i4: Int32Array, f4: Float32Array,
};

/** [type, base64] or [type, base64, step] as a typed array; a step makes numbers of multiples. */
function decodeColumn([type, text, step]) {
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let k = 0; k < bytes.length; k++) bytes[k] = letters.charCodeAt(k);
  const values = new ARRAYS[type](bytes.buffer);
  if (step === undefined) return values;
  const scaled = new Float32Array(values.length);
  for (let k = 0; k < scaled.length; k++) scaled[k] = values[k] * step;
  return scaled;
}

/** Boxes of one side of a video; rows of frame f are those from starts[f] to starts[f + 1]. */
class Boxes {
  constructor(packed, isTruth) {
    this.isTruth = isTruth;
    for (const name of ["starts", "boxes", "ids", "labels", "scores", "states", "partners"]) {
      this[name] = decodeColumn(packed[name]);
    }
    this.foundScores = packed.foundScores ? decodeColumn(packed.foundScores) : null;
    this.polygons = packed.polygons ? decodeColumn(packed.polygons) : null;
    this.masks = packed.masks ?? null;
    this.maskSize = packed.maskSize ?? null;
    this.length = this.ids.length;
    this.frames = new Uint32Array(this.length);
    for (let f = 0; f + 1 < this.starts.length; f++) {
      this.frames.fill(f, this.starts[f], this.starts[f + 1]);
    }
    this.hasIds = this.ids.some((id) => id >= 0);
  }

  /** State of a row; an object found by a detection below the threshold counts as missed. */
  stateOf(row, threshold) {
    const state = this.states[row];
    if (this.foundScores === null || state !== CORRECT) return state;
    return this.foundScores[row] >= threshold ? CORRECT : Boxes.missCode;
  }

  /** Id of what a row is matched to at the threshold, -1 for nothing. */
  partnerOf(row, threshold) {
    return this.stateOf(row, threshold) === Boxes.missCode ? -1 : this.partners[row];
  }
}
Boxes.missCode = -1; // set from the report: the code of the error that objects have

/** A video, its columns decoded on first use. */
class Video {
  constructor(packed, index, kinds) {
    this.packed = packed;
    this.index = index;
    this.judged = kinds.length > 0 && packed.truth !== null;
    this.name = packed.name;
    [this.width, this.height] = packed.size;
    this.numbers = decodeColumn(packed.numbers);
    this.length = this.numbers.length;
    this.pictures = packed.pictures;
  }

  get results() {
    return (this.decodedResults ??= new Boxes(this.packed.results, false));
  }

  get truth() {
    if (this.packed.truth === null) return null;
    return (this.decodedTruth ??= new Boxes(this.packed.truth, true));
  }

  /** Position of a frame by its number: the first with at least this number, else the last. */
  indexOf(number) {
    const frame = this.numbers.findIndex((own) => own >= number);
    return frame < 0 ? this.length - 1 : frame;
  }

  /** Both sides that exist, objects first. */
  get sides() {
    return this.truth ? [this.truth, this.results] : [this.results];
  }
}

function readReport() {
  const report = JSON.parse(byId("report-data").textContent);
  report.videos = report.videos.map((packed, index) => new Video(packed, index, report.kinds));
  const miss = report.kinds.findIndex((kind) => kind.of_truth);
  Boxes.missCode = miss < 0 ? -1 : FIRST_ERROR + miss;
  return report;
}

/** Numbers of a run-length text of pycocotools: background, foreground, background, ... */
function decodeRuns(text) {
  const runs = [];
  for (let at = 0; at < text.length; ) {
    let value = 0;
    let shift = 0;
    let code;
    do {
      code = text.charCodeAt(at++) - 48;
      value |= (code & 31) << shift;
      shift += 5;
    } while (code & 32);
    if (code & 16 && shift < 32) value |= -1 << shift;
    // from the third run of a colour on the text has the difference to the run before
    if (runs.length > 2) value += runs[runs.length - 2];
    runs.push(value);
  }
  return runs;
}
