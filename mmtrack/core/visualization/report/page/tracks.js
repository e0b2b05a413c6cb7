// Boxes of the same identity, and what happened to them over time.

/** Tracks of a side in the order of their first frames: {id, boxes, rows, first, last}. */
function tracksOf(boxes) {
  if (boxes.tracks) return boxes.tracks;
  const rows = new Map();
  for (let row = 0; row < boxes.length; row++) {
    const id = boxes.ids[row];
    if (id < 0) continue;
    if (!rows.has(id)) rows.set(id, []);
    rows.get(id).push(row);
  }
  boxes.tracks = Array.from(rows, ([id, own]) => ({
    id, boxes, rows: own, first: boxes.frames[own[0]], last: boxes.frames[own.at(-1)],
  }));
  boxes.trackById = new Map(boxes.tracks.map((track) => [track.id, track]));
  return boxes.tracks;
}

/** The track that is selected, or undefined. */
function findTrack(video, selected) {
  const boxes = selected.isTruth ? video.truth : video.results;
  if (!boxes) return undefined;
  tracksOf(boxes);
  return boxes.trackById.get(selected.id);
}

/** Runs of consecutive frames with the same state and partner: {first, last, code, partner}. */
function segmentsOf(track, threshold) {
  const segments = [];
  let open = null;
  for (const row of track.rows) {
    const frame = track.boxes.frames[row];
    const code = track.boxes.stateOf(row, threshold);
    const partner = track.boxes.partnerOf(row, threshold);
    if (open && open.code === code && open.partner === partner && frame <= open.last + 1) {
      open.last = frame;
    } else {
      open = { first: frame, last: frame, code, partner };
      segments.push(open);
    }
  }
  return segments;
}

/** How many frames a track is matched to each partner, the longest first. */
function partnersOf(track, threshold) {
  const counts = new Map();
  for (const row of track.rows) {
    const partner = track.boxes.partnerOf(row, threshold);
    if (partner >= 0) counts.set(partner, (counts.get(partner) ?? 0) + 1);
  }
  return Array.from(counts).sort((a, b) => b[1] - a[1]);
}

/** Rows of a track by state code. */
function countStates(track, threshold) {
  const counts = new Map();
  for (const row of track.rows) {
    const code = track.boxes.stateOf(row, threshold);
    counts.set(code, (counts.get(code) ?? 0) + 1);
  }
  return counts;
}
