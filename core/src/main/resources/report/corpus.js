const data = JSON.parse(document.getElementById("data").textContent);

function element(tag, classes, text) {
  const made = document.createElement(tag);
  if (classes) made.className = classes;
  if (text !== undefined) made.textContent = text;
  return made;
}

const TITLES = ["variant", "configuration", "found", "", "executions", "seconds", ""];

function headRow() {
  const head = element("thead");
  const row = element("tr");
  for (const title of TITLES) row.append(element("th", "", title));
  head.append(row);
  return head;
}

function variantRow(variant) {
  const row = element("tr");
  row.append(element("td", "", variant.name));
  row.append(element("td", "", variant.config));
  row.append(element("td", "", variant.found));
  row.append(element("td", variant.ok ? "good" : "bad", variant.status));
  row.append(element("td", "number", variant.executions));
  row.append(element("td", "number", variant.seconds));
  const link = element("td");
  // Only the name of a file beside this one.
  if (/^[\w+=.-]+\.html$/.test(variant.page)) {
    const anchor = element("a", "", "see it");
    anchor.href = variant.page;
    link.append(anchor);
  }
  row.append(link);
  return row;
}

function drawRace(race) {
  const section = element("section");
  section.id = race.name;
  section.append(element("h2", "", race.title));
  section.append(element("p", "soft mono", race.name));
  section.append(element("p", "story", race.story));
  const table = element("table");
  const body = element("tbody");
  body.append(...race.variants.map(variantRow));
  table.append(headRow(), body);
  section.append(table);
  return section;
}

document.title = "Interleaf: known races";
document.getElementById("total").textContent = data.total;
document.getElementById("races").replaceChildren(...data.races.map(drawRace));
