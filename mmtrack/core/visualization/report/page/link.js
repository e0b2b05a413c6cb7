// The place that the reader looks at as the fragment of the address, so that it can be passed on.

/** "#video=NAME&frame=NUMBER&track=ID" (or object=ID) of what is looked at. */
function linkTo(report, { video, frame, selected }) {
  const own = report.videos[video];
  const words = new URLSearchParams({ video: own.name, frame: own.numbers[frame] });
  if (selected) words.set(selected.isTruth ? "object" : "track", selected.id);
  return `#${words}`;
}

/** Changes of the state that a fragment asks for: {video, frame, selected}; null if it names no video. */
function readLink(report, fragment) {
  const words = new URLSearchParams(fragment.slice(1));
  const video = report.videos.findIndex((own) => own.name === words.get("video"));
  if (video < 0) return null;
  const id = (key) => (/^\d+$/.test(words.get(key) ?? "") ? Number(words.get(key)) : -1);
  const number = id("frame");
  let selected = null;
  for (const key of ["track", "object"]) {
    const wanted = { isTruth: key === "object", id: id(key) };
    if (findTrack(report.videos[video], wanted)) selected = wanted;
  }
  return { video, frame: number < 0 ? 0 : report.videos[video].indexOf(number), selected };
}

/** Keep the address and what is looked at the same. */
function followLink(report, store) {
  let timer = 0;
  const write = () => {
    timer = 0;
    if (!store.state.playing) history.replaceState(null, "", linkTo(report, store.state));
  };
  const open = () => {
    const wanted = readLink(report, location.hash);
    if (!wanted) return;
    store.set({ video: wanted.video }); // opens it at its first frame
    store.set({ frame: wanted.frame, selected: wanted.selected, playing: false });
  };
  window.addEventListener("hashchange", open);
  open();
  // browsers refuse many changes of the address within seconds
  store.on(["video", "frame", "selected", "playing"], () => { timer ||= setTimeout(write, 250); });
}
