// What the reader looks at: one object, and whoever wants to hear of changes.

class Store {
  constructor(state) {
    this.state = state;
    this.listeners = [];
  }

  /** Call listener(state) after a change of one of the keys. */
  on(keys, listener) {
    this.listeners.push({ keys, listener });
  }

  set(changes) {
    const changed = Object.keys(changes).filter((key) => this.state[key] !== changes[key]);
    if (!changed.length) return;
    Object.assign(this.state, changes);
    for (const { keys, listener } of this.listeners) {
      if (keys.some((key) => changed.includes(key))) listener(this.state);
    }
  }
}

/** Keys of the state that decide which boxes are drawn and counted. */
const FILTER_KEYS = ["show", "ids", "hiddenClasses", "threshold"];

function initialState(report) {
  return {
    video: Math.max(0, report.videos.findIndex((video) => video.judged)),
    frame: 0,
    playing: false,
    fps: 10,
    selected: null, // {isTruth, id}
    show: {
      correct: true,
      notCounted: false,
      truth: report.task === "SOT",
      masks: true,
      labels: true,
      trail: true,
      kinds: report.kinds.map(() => true),
    },
    ids: null, // see parseIds
    hiddenClasses: new Set(),
    threshold: report.leastScore ?? -Infinity,
    zoom: NO_ZOOM,
  };
}
