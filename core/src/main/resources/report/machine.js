// ---- drawing the machine

// The step that one stands at, and what is different from the stop before.
let lit = ["", ""];
let before = new Map();

// What was drawn stays, and is changed only where it has to look different: a table of 512 entries
// of which one changes costs as much as one of four.
const drawn = new Map();

function once(key, make) {
  if (!drawn.has(key)) drawn.set(key, make());
  return drawn.get(key);
}

function setText(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

function setClass(place, classes) {
  if (place.className !== classes) place.className = classes;
}

function setChildren(place, children) {
  const same = place.children.length === children.length &&
    children.every((child, i) => place.children[i] === child);
  if (!same) place.replaceChildren(...children);
  return place;
}

function factClass(name, fact, value) {
  const isLit = lit[0] === name && (lit[1] === fact || lit[1] === "");
  if (isLit) return " lit";
  const was = before.get(name);
  return was && textOf(was.facts.get(fact)) !== textOf(value) ? " changed" : "";
}

// A line with a fact: what it is called, and what it is.
function factLine(classes, name, fact, label, value) {
  const line = once("line\n" + classes + "\n" + name + "\n" + fact, () => {
    const made = element("div");
    const text = element("span");
    text.dataset.thing = name;
    text.dataset.fact = fact;
    made.append(element("b", "", label), text);
    return made;
  });
  setClass(line, classes + factClass(name, fact, value));
  setText(line.lastChild, textOf(value));
  return line;
}

// ---- page tables

function tableBox(name, title) {
  const table = film.things.get(name);
  const box = once("table\n" + name, () => {
    const made = element("div");
    const heading = element("h3");
    heading.append(element("span"), element("em"));
    made.append(heading);
    return made;
  });
  setClass(box, "table" + (table.gone ? " gone" : ""));
  setText(box.firstChild.firstChild, textOf(table.facts.get("level")) + "  " + name);
  setText(box.firstChild.lastChild, title ? " " + title : "");
  const facts = rowsOf.get(name) || [];
  const lines = facts.map(fact => factLine("entry", name, fact, fact, table.facts.get(fact)));
  return setChildren(box, [box.firstChild, ...lines]);
}

function folioChip(name, from) {
  const folio = film.things.get(name);
  const chip = once("chip\n" + from + "\n" + name, () => {
    const made = element("div");
    const count = element("span");
    count.dataset.thing = name;
    count.dataset.fact = "_refcount";
    made.append(element("b", "", name + " refs "), count);
    return made;
  });
  setClass(chip, "chip" + (folio.gone ? " gone" : "") + (lit[0] === name ? " lit" : ""));
  setText(chip.lastChild, textOf(folio.facts.get("_refcount")));
  return chip;
}

function tableNode(name, title, reached) {
  reached.add(name);
  const kids = [];
  const table = film.things.get(name);
  for (const fact of rowsOf.get(name) || []) {
    const about = aboutOf(table.facts.get(fact));
    const target = film.things.get(about);
    if (!target) continue;
    if (target.kind === "TABLE" && !reached.has(about)) kids.push(tableNode(about, "", reached));
    if (target.kind === "FOLIO") kids.push(folioChip(about, name + fact));
  }
  const node = once("node\n" + name, () => element("div", "node"));
  const parts = [tableBox(name, title)];
  if (kids.length > 0) {
    parts.push(setChildren(once("kids\n" + name, () => element("div", "kids")), kids));
  }
  return setChildren(node, parts);
}

// As one reads them: page 9 before page 10.
const inReading = new Intl.Collator("en", { numeric: true }).compare;

function named(kind) {
  return [...film.things].filter(([, thing]) => thing.kind === kind)
    .sort(([a], [b]) => inReading(a, b));
}

function section(id, title, ...content) {
  const heading = once("section\n" + id, () => element("h2", "", title));
  setChildren(byId(id), content.length === 0 ? [] : [heading, ...content]);
}

function processHeading(name, process) {
  const heading = once("process\n" + name, () => {
    const made = element("h2", "", "Page tables of " + name + " ");
    made.append(element("small"));
    return made;
  });
  const areas = [...process.facts].filter(([fact]) => fact !== "pgd");
  const lines = areas.map(([fact, value]) =>
    factLine("area", name, fact, fact.replace(/^vma /, "") + " ", value));
  setChildren(heading.lastChild, lines);
  return heading;
}

function drawProcesses(reached) {
  const parts = [];
  for (const [name, process] of named("PROCESS")) {
    if (process.gone) continue;
    const root = aboutOf(process.facts.get("pgd"));
    parts.push(processHeading(name, process));
    if (film.things.has(root)) {
      const tree = once("tree\n" + name, () => element("div", "tree"));
      parts.push(setChildren(tree, [tableNode(root, "", reached)]));
    }
  }
  setChildren(byId("processes"), parts);
}

function looseTitle(table) {
  if (table.gone) return "freed";
  return table.facts.has("deposited") ? "deposited" : "no entry leads here";
}

// Tables that no process reaches: unhooked while somebody may still walk them, or freed. Those that
// are only put by for later are not worth the room, unless a step touches them.
function drawLoose(reached) {
  const loose = named("TABLE").filter(([name, table]) =>
    !reached.has(name) && (!table.facts.has("deposited") || lit[0] === name));
  const below = new Set(loose.flatMap(([, table]) => [...table.facts.values()].map(aboutOf)));
  const trees = [];
  for (const isTop of [true, false]) {
    for (const [name, table] of loose) {
      if (reached.has(name) || below.has(name) === isTop) continue;
      const tree = once("loose\n" + name, () => element("div", "tree loose"));
      trees.push(setChildren(tree, [tableNode(name, looseTitle(table), reached)]));
    }
  }
  section("loose", "Tables outside of the page tables", ...trees);
}

// ---- cards

const FOLIO_ORDER = ["type", "order", "_refcount", "_pincount", "mapped", "flags", "mapping"];

// The facts of a thing, which may have got some of them late.
function inOrder(thing) {
  const facts = [...thing.facts].filter(([, value]) => value[0] !== "");
  if (thing.kind !== "FOLIO") return facts;
  const place = name => (FOLIO_ORDER.includes(name) ? FOLIO_ORDER.indexOf(name) : FOLIO_ORDER.length);
  return facts.sort(([a], [b]) => place(a) - place(b) || inReading(a, b));
}

function cardOf(name, title, isGone, lines) {
  const card = once("card\n" + name, () => {
    const made = element("div");
    made.append(element("h3"));
    return made;
  });
  setClass(card, "card" + (isGone ? " gone" : ""));
  setText(card.firstChild, title);
  setClass(card.firstChild, lit[0] === name ? "lit" : "");
  return setChildren(card, [card.firstChild, ...lines]);
}

function drawCards(id, title, kind, isShown) {
  const cards = [];
  for (const [name, thing] of named(kind)) {
    if (isShown && !isShown(name, thing)) continue;
    const lines = inOrder(thing).map(([fact, value]) => factLine("fact", name, fact, fact, value));
    cards.push(cardOf(name, name + (thing.gone ? "  free" : ""), thing.gone, lines));
  }
  const holder = setChildren(once("cards\n" + id, () => element("div", "cards")), cards);
  section(id, title, ...(cards.length > 0 ? [holder] : []));
}

function taskLines(task, thing) {
  const lines = [factLine("fact", task, "state", task, thing.facts.get("state"))];
  for (const fact of ["rcu", "holds"]) {
    const value = thing.facts.get(fact);
    if (value && value[0] !== "" && value[0] !== "quiescent") {
      lines.push(factLine("fact", task, fact, "\u2003" + fact, value));
    }
  }
  return lines;
}

function drawCpus() {
  const cards = [];
  const tasks = named("TASK").filter(([name, thing]) =>
    !name.includes("/") || lit[0] === name || textOf(thing.facts.get("state")) !== "idle");
  for (const [name, cpu] of named("CPU")) {
    const lines = inOrder(cpu).map(([fact, value]) => factLine("fact", name, fact, fact, value));
    for (const [task, thing] of tasks) {
      if (aboutOf(thing.facts.get("cpu")) === name) lines.push(...taskLines(task, thing));
    }
    cards.push(cardOf(name, name, false, lines));
  }
  section("cpus", "CPUs", setChildren(once("cards\ncpus", () => element("div", "cards")), cards));
}

function otherLine(name, step) {
  const line = once("other\n" + name, () => {
    const made = element("div");
    const text = element("span");
    text.dataset.location = name;
    made.append(element("b", "", name), text);
    return made;
  });
  const isNow = step > 0 && data.steps[step - 1].where === name;
  setClass(line, "fact" + (isNow ? " lit" : ""));
  setText(line.lastChild, others.get(name).findLast(([since]) => since <= step)[1]);
  return line;
}

function drawOthers(step) {
  const card = once("others", () => element("div", "card"));
  setChildren(card, [...others.keys()].map(name => otherLine(name, step)));
  section("others", "Other memory", ...(others.size > 0 ? [card] : []));
}

function drawMachine(step) {
  const reached = new Set();
  drawProcesses(reached);
  drawLoose(reached);
  drawCards("folios", "Folios", "FOLIO");
  drawCards("swap", "Swap", "SWAP");
  drawCards("locks", "Locks", "LOCK");
  drawCpus();
  drawCards("tlbs", "TLBs", "TLB", (name, tlb) => tlb.facts.size > 0 || lit[0] === name);
  drawOthers(step);
}

