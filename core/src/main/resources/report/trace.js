// ---- the step and its source

function drawSource(place, frame) {
  const [file, line] = data.frames[frame].slice(1);
  const lines = data.sources[file] || [];
  const box = element("div", "source");
  let chosen = null;
  for (const [number, text] of lines) {
    if (Math.abs(number - line) > 12) continue;
    const row = element("div", number === line ? "here" : "");
    row.append(element("i", "", String(number)), element("span", "", text));
    if (number === line) chosen = row;
    box.append(row);
  }
  put(place, element("span", "soft mono", file + ":" + line), box);
  if (chosen) box.scrollTop = chosen.offsetTop - box.offsetTop - 40;
}

function drawStep(step) {
  const place = byId("step");
  if (step === 0) {
    put(place, element("p", "what", "Before the first step"));
    return;
  }
  const { task, call, result, marks, frames } = data.steps[step - 1];
  const what = element("p", "what mono", "CPU " + data.tasks[task].cpu + "  " +
    data.tasks[task].name + "  " + call + spaced(result));
  const parts = [what];
  for (const mark of marks) parts.push(element("p", "bad", mark));
  const stack = element("p", "stack mono");
  const source = element("div");
  for (const frame of frames) {
    const button = element("button", "", data.frames[frame][0] || data.frames[frame][1]);
    button.addEventListener("click", () => choose(button, frame));
    if (stack.children.length > 0) stack.append(" \u2190 ");
    stack.append(button);
  }
  function choose(button, frame) {
    for (const other of stack.querySelectorAll("button")) other.classList.remove("chosen");
    button.classList.add("chosen");
    drawSource(source, frame);
  }
  if (frames.length > 0) parts.push(stack, source);
  put(place, ...parts);
  if (frames.length > 0) choose(stack.querySelector("button"), frames[0]);
}

// ---- going about

// Only the rows between here and there look different afterwards.
function markRows(target) {
  const [from, to] = [Math.min(here, target), Math.max(here, target)];
  for (let stop = Math.max(1, from); stop <= Math.min(to, stops.length - 1); stop++) {
    const row = rowOf.get(stops[stop]);
    row?.classList.toggle("now", stop === target);
    row?.classList.toggle("future", stop > target);
  }
}

function stand(stop) {
  const target = Math.max(0, Math.min(stops.length - 1, stop));
  const step = stops[target];
  seek(target === 0 ? 0 : stops[target - 1]);
  before = new Map(film.things);
  seek(step);
  lit = step === 0 ? ["", ""] : data.steps[step - 1].at;
  markRows(target);
  here = target;
  drawStep(step);
  drawMachine(step);
  byId("slider").value = target;
  byId("position").textContent = step === 0 ? "start" : "step " + step + " of " + data.steps.length;
  document.body.dataset.step = step;
  const row = rowOf.get(step);
  if (row) row.scrollIntoView({ block: "nearest" });
  history.replaceState(null, "", "#" + step);
}

function standAtStep(step) {
  let stop = 0;
  while (stop + 1 < stops.length && stops[stop + 1] <= step) stop++;
  stand(stop);
}

function toNextMark() {
  for (let i = 1; i <= stops.length; i++) {
    const stop = (here + i) % stops.length;
    if (stops[stop] > 0 && data.steps[stops[stop] - 1].marks.length > 0) return stand(stop);
  }
}

function toggleFull() {
  const step = stops[here];
  drawRows();
  here = 0;
  standAtStep(step);
}

const keys = {
  ArrowRight: () => stand(here + 1), ArrowDown: () => stand(here + 1), j: () => stand(here + 1),
  ArrowLeft: () => stand(here - 1), ArrowUp: () => stand(here - 1), k: () => stand(here - 1),
  PageDown: () => stand(here + 10), PageUp: () => stand(here - 10),
  Home: () => stand(0), End: () => stand(stops.length - 1), m: toNextMark,
  f: () => { byId("full").checked = !byId("full").checked; toggleFull(); },
};

function listen() {
  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.altKey || event.metaKey || !Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    keys[event.key]();
  });
  byId("slider").addEventListener("input", () => stand(Number(byId("slider").value)));
  byId("full").addEventListener("change", toggleFull);
  byId("first").addEventListener("click", keys.Home);
  byId("back").addEventListener("click", keys.k);
  byId("next").addEventListener("click", keys.j);
  byId("last").addEventListener("click", keys.End);
  byId("mark").addEventListener("click", toNextMark);
  addEventListener("hashchange", () => standAtStep(Number(location.hash.slice(1)) || 0));
}

function drawHead() {
  document.title = data.title;
  byId("title").textContent = data.title;
  const verdict = byId("verdict");
  verdict.textContent = data.verdict;
  verdict.className = data.failed ? "bad" : "good";
  byId("found").textContent = data.found;
  byId("story").textContent = data.story;
  byId("patches").textContent = data.patches;
  byId("test").textContent = data.test;
  byId("replay").textContent = data.replay;
  byId("final").textContent = data.final ? "Final state: " + data.final : "";
  put(byId("splats"), ...data.splats.map(text => element("pre", "", text)));
}

prepare();
drawHead();
drawColumns();
listen();
drawRows();
standAtStep(location.hash ? Number(location.hash.slice(1)) || 0 : 0);
