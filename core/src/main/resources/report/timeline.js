// ---- the timeline

// The steps that one can stand at, by number from 1; 0 is the start.
let stops = [];
let here = 0;
let rowOf = new Map();

function taskCells(step, classes) {
  const row = element("div", classes);
  for (const [column, flags] of (step === 0 ? data.tasks.map(() => "") : bars[step - 1]).entries()) {
    const cell = element("div", "cell");
    cell.dataset.column = column;
    for (const [flag, name] of [["i", "irq"], ["r", "rcu"], ["l", "lock"]]) {
      if (flags.includes(flag)) cell.append(element("i", "bar " + name));
    }
    row.append(cell);
  }
  return row;
}

function drawColumns() {
  const row = element("div", "row");
  for (const task of data.tasks) {
    row.append(element("div", "cell head", "CPU " + task.cpu + "  " + task.name + task.calls));
  }
  put(byId("columns"), row);
  document.body.style.setProperty("--tasks", data.tasks.length);
}

// A colon goes without a blank.
const spaced = result => (result.startsWith(":") || result === "" ? result : " " + result);

function stepRow(step) {
  const { task, call, result, wrote, marks } = data.steps[step - 1];
  const row = taskCells(step, "row step future");
  row.dataset.step = step;
  const cell = row.children[task];
  cell.classList.add("mine");
  if (wrote) cell.classList.add("wrote");
  cell.append(element("span", "", call));
  if (result) cell.append(element("span", "result", spaced(result)));
  for (const mark of marks) cell.append(element("span", "mark", mark));
  row.addEventListener("click", () => stand(stops.indexOf(step)));
  return row;
}

function drawRows() {
  const full = byId("full").checked;
  const rows = [];
  const inFunction = new Map();
  stops = [0];
  rowOf = new Map();
  for (const [index, step] of data.steps.entries()) {
    if (!full && !step.shown) continue;
    const number = index + 1;
    const name = step.function;
    if (inFunction.get(step.task) !== name && name) {
      const row = taskCells(number, "row");
      row.children[step.task].classList.add("call");
      row.children[step.task].append(element("span", "", name + "()"));
      rows.push(row);
    }
    inFunction.set(step.task, name);
    const row = stepRow(number);
    rowOf.set(number, row);
    rows.push(row);
    stops.push(number);
  }
  // The end, also where nothing is left to be shown on the way to it.
  if (stops.at(-1) !== data.steps.length) stops.push(data.steps.length);
  put(byId("rows"), ...rows);
  byId("slider").max = stops.length - 1;
}

