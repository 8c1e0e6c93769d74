// ---- drawing the machine

// The step that one stands at, and what is different from the stop before.
let lit = ["", ""];
let before = new Map();

function factClass(name, fact, value) {
  const isLit = lit[0] === name && (lit[1] === fact || lit[1] === "");
  if (isLit) return " lit";
  const was = before.get(name);
  const now = value === undefined ? "none" : value[0];
  return was && textOf(was.facts.get(fact)) !== now ? " changed" : "";
}

function factElement(classes, name, fact, label, value) {
  const row = element("div", classes + factClass(name, fact, value));
  row.append(element("b", "", label));
  const text = element("span", "", textOf(value));
  text.dataset.thing = name;
  text.dataset.fact = fact;
  row.append(text);
  return row;
}

function tableBox(name, title) {
  const table = film.things.get(name);
  const box = element("div", "table" + (table.gone ? " gone" : ""));
  const heading = element("h3", "", textOf(table.facts.get("level")) + "  " + name);
  if (title) heading.append(element("em", "", " " + title));
  box.append(heading);
  for (const fact of rowsOf.get(name) || []) {
    box.append(factElement("entry", name, fact, fact, table.facts.get(fact)));
  }
  return box;
}

function tableNode(name, title, reached) {
  reached.add(name);
  const node = element("div", "node");
  node.append(tableBox(name, title));
  const kids = element("div", "kids");
  const table = film.things.get(name);
  for (const fact of rowsOf.get(name) || []) {
    const about = aboutOf(table.facts.get(fact));
    const target = film.things.get(about);
    if (!target) continue;
    if (target.kind === "TABLE") {
      if (!reached.has(about)) kids.append(tableNode(about, "", reached));
    } else if (target.kind === "FOLIO") {
      kids.append(folioChip(about, target));
    }
  }
  if (kids.children.length > 0) node.append(kids);
  return node;
}

function folioChip(name, folio) {
  const chip = element("div", "chip" + (folio.gone ? " gone" : ""));
  chip.append(element("b", "", name + " refs "));
  const count = element("span", "", textOf(folio.facts.get("_refcount")));
  count.dataset.thing = name;
  count.dataset.fact = "_refcount";
  chip.append(count);
  if (lit[0] === name) chip.classList.add("lit");
  return chip;
}

function named(kind) {
  return [...film.things].filter(([, thing]) => thing.kind === kind)
    .sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }));
}

function section(id, title, ...content) {
  const place = byId(id);
  if (content.length === 0) put(place);
  else put(place, element("h2", "", title), ...content);
}

function drawProcesses(reached) {
  const parts = [];
  for (const [name, process] of named("PROCESS")) {
    if (process.gone) continue;
    const heading = element("h2", "", "Page tables of " + name + " ");
    const vmas = [...process.facts].filter(([fact]) => fact !== "pgd");
    const list = element("small");
    for (const [fact, value] of vmas) {
      list.append(element("span", "", fact.replace(/^vma /, "") + " "));
      const purpose = element("span", "", textOf(value));
      purpose.dataset.thing = name;
      purpose.dataset.fact = fact;
      list.append(purpose, element("span", "", "  "));
    }
    heading.append(list);
    const tree = element("div", "tree");
    tree.append(tableNode(aboutOf(process.facts.get("pgd")), "", reached));
    parts.push(heading, tree);
  }
  put(byId("processes"), ...parts);
}

function looseTitle(table) {
  if (table.gone) return "freed";
  return table.facts.has("deposited") ? "deposited" : "no entry leads here";
}

function drawLoose(reached) {
  const trees = [];
  const isEmpty = ([name, table]) => table.facts.has("deposited") && lit[0] !== name;
  for (const [name, table] of named("TABLE")) {
    if (reached.has(name) || isEmpty([name, table])) continue;
    const tree = element("div", "tree loose");
    tree.append(tableNode(name, looseTitle(table), reached));
    trees.push(tree);
  }
  section("loose", "Tables outside of the page tables", ...trees);
}

const FOLIO_ORDER = ["type", "order", "_refcount", "_pincount", "mapped", "flags", "mapping"];

// The facts of a thing, which may have got some of them late.
function inOrder(thing) {
  const facts = [...thing.facts];
  if (thing.kind !== "FOLIO") return facts;
  const place = name => (FOLIO_ORDER.includes(name) ? FOLIO_ORDER.indexOf(name) : FOLIO_ORDER.length);
  return facts.sort(([a], [b]) => place(a) - place(b) || a.localeCompare(b, "en", { numeric: true }));
}

function drawCards(id, title, kind, isShown) {
  const cards = [];
  for (const [name, thing] of named(kind)) {
    if (isShown && !isShown(name, thing)) continue;
    const card = element("div", "card" + (thing.gone ? " gone" : ""));
    card.append(element("h3", lit[0] === name ? "lit" : "", name + (thing.gone ? "  free" : "")));
    for (const [fact, value] of inOrder(thing)) {
      if (value[0] !== "") card.append(factElement("fact", name, fact, fact, value));
    }
    cards.push(card);
  }
  const holder = element("div", "cards");
  holder.append(...cards);
  section(id, title, ...(cards.length > 0 ? [holder] : []));
}

const isBusy = (name, thing) =>
  !name.includes("/") || lit[0] === name || textOf(thing.facts.get("state")) !== "idle";

function drawCpus() {
  const parts = [];
  for (const [name, cpu] of named("CPU")) {
    const card = element("div", "card");
    card.append(element("h3", lit[0] === name ? "lit" : "", name));
    for (const [fact, value] of cpu.facts) card.append(factElement("fact", name, fact, fact, value));
    for (const [task, thing] of named("TASK")) {
      if (aboutOf(thing.facts.get("cpu")) !== name || !isBusy(task, thing)) continue;
      card.append(factElement("fact", task, "state", task, thing.facts.get("state")));
      for (const fact of ["rcu", "holds"]) {
        const value = thing.facts.get(fact);
        if (value[0] !== "" && value[0] !== "quiescent") {
          card.append(factElement("fact", task, fact, "\u2003" + fact, value));
        }
      }
    }
    parts.push(card);
  }
  const holder = element("div", "cards");
  holder.append(...parts);
  section("cpus", "CPUs", holder);
}

function drawOthers(step) {
  const card = element("div", "card");
  for (const [name, values] of others) {
    const value = values.findLast(([since]) => since <= step)[1];
    const isNow = step > 0 && data.steps[step - 1].where === name;
    const row = element("div", "fact" + (isNow ? " lit" : ""));
    row.append(element("b", "", name));
    const text = element("span", "", value);
    text.dataset.location = name;
    row.append(text);
    card.append(row);
  }
  section("others", "Other memory", ...(others.size > 0 ? [card] : []));
}

function drawMachine(step) {
  const reached = new Set();
  drawProcesses(reached);
  drawLoose(reached);
  drawCards("folios", "Folios", "FOLIO");
  drawCards("locks", "Locks", "LOCK");
  drawCpus();
  drawCards("tlbs", "TLBs", "TLB", (name, tlb) => tlb.facts.size > 0 || lit[0] === name);
  drawOthers(step);
}

