// Which boxes are drawn and counted.

/**
 * Parse "3, 7-9, o4": tracks 3, 7, 8, 9 and object 4.
 * Returns null for no restriction; throws an Error that says what is wrong.
 */
function parseIds(text) {
  const parts = text.split(/[\s,]+/).filter(Boolean);
  if (!parts.length) return null;
  const ids = { tracks: [], objects: [] };
  for (const part of parts) {
    const match = /^(o?)(\d+)(?:-(\d+))?$/i.exec(part);
    if (!match) throw new Error(`"${part}" is no id; write for example 3, 7-9, o4`);
    const range = [Number(match[2]), Number(match[3] ?? match[2])];
    ids[match[1] ? "objects" : "tracks"].push(range);
  }
  return ids;
}

const within = (ranges, id) => ranges.some(([low, high]) => low <= id && id <= high);

/** Whether a row belongs to the ids asked for, by itself or by what it is matched to. */
function passesIds(video, boxes, row, state) {
  if (state.ids === null) return true;
  const partner = boxes.partnerOf(row, state.threshold);
  const [track, object] = boxes.isTruth ? [partner, boxes.ids[row]] : [boxes.ids[row], partner];
  // detections have no ids: then a number without "o" means an object
  const plain = video.results.hasIds ? track : object;
  return (plain >= 0 && within(state.ids.tracks, plain))
    || (object >= 0 && within(state.ids.objects, object));
}

/** Whether ids, classes and score let a row pass; its state is not looked at. */
function passes(video, boxes, row, state) {
  if (!boxes.isTruth && boxes.scores[row] < state.threshold) return false;
  if (state.hiddenClasses.has(boxes.labels[row])) return false;
  return passesIds(video, boxes, row, state);
}

/** Whether a row that passes is drawn, by what was made of it. */
function isShown(boxes, row, state) {
  const code = boxes.stateOf(row, state.threshold);
  if (code >= FIRST_ERROR) {
    return state.show.kinds[code - FIRST_ERROR] || (boxes.isTruth && state.show.truth);
  }
  if (code === NOT_COUNTED && isJudged(boxes) && !state.show.notCounted) return false;
  return boxes.isTruth ? state.show.truth : code === NOT_COUNTED || state.show.correct;
}

/** Whether any box of a side was compared with the other side at all. */
function isJudged(boxes) {
  return (boxes.judged ??= boxes.states.some((code) => code !== NOT_COUNTED));
}

/**
 * Boxes per frame: one array each for "results", "objects", "correct", and each kind of error.
 * Kinds that are switched off are counted too.
 */
function countPerFrame(report, video, state) {
  const counts = { results: new Uint32Array(video.length), correct: new Uint32Array(video.length) };
  counts.kinds = report.kinds.map(() => new Uint32Array(video.length));
  counts.objects = new Uint32Array(video.length);
  for (const boxes of video.sides) {
    const all = boxes.isTruth ? counts.objects : counts.results;
    for (let row = 0; row < boxes.length; row++) {
      if (!passes(video, boxes, row, state)) continue;
      const frame = boxes.frames[row];
      const code = boxes.stateOf(row, state.threshold);
      all[frame]++;
      if (code >= FIRST_ERROR) counts.kinds[code - FIRST_ERROR][frame]++;
      else if (code === CORRECT && !boxes.isTruth) counts.correct[frame]++;
    }
  }
  return counts;
}

/** Errors of the kinds that are switched on, for each frame. */
function errorsPerFrame(counts, state) {
  const total = new Uint32Array(counts.results.length);
  counts.kinds.forEach((own, kind) => {
    if (state.show.kinds[kind]) own.forEach((count, frame) => (total[frame] += count));
  });
  return total;
}
