// Everything on this page comes from here, and gets into it as text only.
const data = JSON.parse(document.getElementById("data").textContent);
const byId = id => document.getElementById(id);

function element(tag, classes, text) {
  const made = document.createElement(tag);
  if (classes) made.className = classes;
  if (text !== undefined) made.textContent = text;
  return made;
}

function put(parent, ...children) {
  parent.replaceChildren(...children);
  return parent;
}

// ---- the machine at each step

// Things by name as they are after `at` steps. What a step changes is in data.changes; what it
// replaced is kept, to go back.
const film = { at: 0, things: new Map(), undo: [] };

function change(things, changes, undo) {
  for (const [name, to] of Object.entries(changes)) {
    const was = things.get(name);
    if (undo) undo.push([name, was]);
    if (to === null) {
      things.set(name, { kind: was.kind, facts: was.facts, gone: true });
      continue;
    }
    const fresh = to.kind !== undefined;
    const facts = new Map(fresh ? [] : was.facts);
    for (const [fact, value] of to.facts) {
      if (value === null) facts.delete(fact);
      else facts.set(fact, value);
    }
    things.set(name, { kind: fresh ? to.kind : was.kind, facts, gone: false });
  }
}

function seek(step) {
  while (film.at < step) {
    const undo = [];
    change(film.things, data.changes[film.at], undo);
    film.undo[film.at++] = undo;
  }
  while (film.at > step) {
    for (const [name, was] of film.undo[--film.at].reverse()) {
      if (was === undefined) film.things.delete(name);
      else film.things.set(name, was);
    }
  }
}

const textOf = value => (value === undefined ? "none" : value[0]);
const aboutOf = value => (value === undefined ? "" : value[1] || "");

// What does not depend on the step: which entries of a table ever hold something, how the bars
// beside the CPUs run, and what else is touched.
const rowsOf = new Map();
const bars = [];
const others = new Map();

function note(name, fact) {
  if (!rowsOf.has(name)) rowsOf.set(name, new Set());
  rowsOf.get(name).add(fact);
}

function prepare() {
  change(film.things, data.start);
  for (let step = 0; ; step++) {
    seek(step);
    const changed = step === 0 ? data.start : data.changes[step - 1];
    for (const [name, to] of Object.entries(changed)) {
      if (to === null || film.things.get(name).kind !== "TABLE") continue;
      for (const [fact] of to.facts) if (fact[0] === "[") note(name, fact);
    }
    if (step > 0) bars.push(data.tasks.map(barsOf));
    if (step === data.steps.length) break;
    const [thing, fact] = data.steps[step].at;
    if (fact && fact[0] === "[") note(thing, fact);
    if (!thing) noteOther(step);
  }
  for (const [name, facts] of rowsOf) {
    rowsOf.set(name, [...facts].sort((a, b) => parseInt(a.slice(1)) - parseInt(b.slice(1))));
  }
  seek(0);
}

function barsOf(task) {
  const facts = film.things.get(task.name)?.facts;
  if (!facts) return "";
  return (textOf(facts.get("interrupts")) === "off" ? "i" : "") +
    (textOf(facts.get("rcu")) === "in read section" ? "r" : "") +
    (textOf(facts.get("holds")) !== "" ? "l" : "");
}

function noteOther(step) {
  const { where, before, after, shared } = data.steps[step];
  if (!shared) return;
  if (!others.has(where)) others.set(where, [[0, before]]);
  others.get(where).push([step + 1, after]);
}

