// SPDX-License-Identifier: Apache-2.0
// Reads status.json every two seconds and shows it. Whatever comes from there is
// set as text, never as markup.
"use strict";

const kPeriod = 2000;        // ms between two looks
const kSpan = 5 * 60 * 1000; // ms that a plot shows
const kApplications = 12;    // rows

const sum = (values) => values.reduce((total, value) => total + value, 0);
const sumOf = (counts) => sum(Object.values(counts));
const byId = (id) => document.getElementById(id);

// ---- numbers ----

const whole = new Intl.NumberFormat("en");
const count = (value) => whole.format(value);

function scaled(value, unit, step = 1000, prefixes = ["", "k", "M", "G", "T", "P"]) {
  let index = 0;
  while (value >= step && index + 1 < prefixes.length) {
    value /= step;
    ++index;
  }
  const digits = index === 0 && Number.isInteger(value) || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${prefixes[index]}${unit}`.trim();
}
const octets = (value) => scaled(value, "B", 1024, ["", "Ki", "Mi", "Gi", "Ti", "Pi"]);
const bitsPerSecond = (value) => scaled(value, "bit/s");
const perSecond = (value) => scaled(value, "/s");

function duration(seconds) {
  const parts = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const first = parts.findIndex(([size]) => seconds >= size);
  if (first < 0) return "0 s";
  const [size, unit] = parts[first];
  const rest = parts[first + 1];
  const more = rest ? Math.floor(seconds % size / rest[0]) : 0;
  return `${Math.floor(seconds / size)} ${unit}${more ? ` ${more} ${rest[1]}` : ""}`;
}

// "1.50 k/s" is "1.5 k/s" beside an axis.
const axis = (text) => text.replace(/(\.\d*?)0+(?= )/, "$1").replace(/\.(?= )/, "");

// ---- elements ----

function element(name, className, ...content) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...content);
  return made;
}
const cell = (content, className = "") => element("td", className, String(content));
const number = (content, bad = false) => cell(content, bad ? "number bad" : "number");

function rowHead(content) {
  const made = element("th", "", content);
  made.scope = "row";
  return made;
}

function bar(part, what) {
  const inner = element("span");
  inner.style.width = `${Math.min(100, 100 * part).toFixed(1)}%`;
  const made = element("span", "bar", inner);
  made.setAttribute("role", "img");
  made.setAttribute("aria-label", `${(100 * part).toFixed(1)} percent ${what}`);
  return element("td", "fill", made);
}

function state(good, text) {
  return element("td", "", element("span", `state ${good ? "good" : "bad"}`, text));
}

function spread(columns, text, className = "quiet") {
  const made = cell(text, className);
  made.colSpan = columns;
  return element("tr", "", made);
}

// ---- plots ----

function svg(name, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

// The least round number above `value`.
function roundUp(value) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 1.5, 2, 3, 4, 6, 8, 10].find((factor) => factor * power >= value * 0.9999);
}

class Plot {
  constructor(name, series, format) {
    this.name = name;
    this.series = series; // [{label, style}]
    this.format = format;
    this.points = [];     // [time, values]; null: nothing is known between two points
    this.pointed = null;  // time under the pointer
    this.place = byId(`${name}-plot`);
    this.legend = byId(`${name}-legend`);
    this.place.addEventListener("pointermove", (event) => {
      const box = this.place.getBoundingClientRect();
      this.pointed = event.clientX - box.left;
      this.draw();
    });
    this.place.addEventListener("pointerleave", () => {
      this.pointed = null;
      this.draw();
    });
    new ResizeObserver(() => this.draw()).observe(this.place);
  }

  add(time, values) {
    this.points.push([time, values]);
    while (this.points.length > 1 && this.points[1][0] < time - kSpan) this.points.shift();
    this.draw();
  }

  draw() {
    const width = this.place.clientWidth, height = this.place.clientHeight;
    if (width < 80 || this.points.length === 0) return;
    const left = 66, bottom = 18, top = 6, right = 6;
    const now = this.points.at(-1)[0];
    const known = this.points.filter(([, values]) => values);
    const most = roundUp(Math.max(0, ...known.flatMap(([, values]) => values)));
    const x = (time) => left + (width - left - right) * (1 - (now - time) / kSpan);
    const y = (value) => top + (height - top - bottom) * (1 - value / most);
    const image = svg("svg", {role: "img", viewBox: `0 0 ${width} ${height}`});
    for (const value of [0, most / 2, most]) {
      image.append(svg("line", {class: "grid", x1: left, x2: width - right, y1: y(value), y2: y(value)}));
      image.append(svg("text", {x: left - 8, y: y(value) + 4, "text-anchor": "end"}, axis(this.format(value))));
    }
    for (let minute = 0; minute <= kSpan / 60000; ++minute)
      image.append(svg("text", {x: x(now - minute * 60000), y: height - 3, "text-anchor": minute ? "middle" : "end"},
                       minute ? `−${minute} min` : "now"));
    this.series.forEach(({style}, index) => {
      for (const part of this.parts(now)) {
        const line = part.map(([time, values], i) =>
          `${i ? "L" : "M"}${x(time).toFixed(1)},${y(values[index]).toFixed(1)}`).join("");
        const ground = `L${x(part.at(-1)[0]).toFixed(1)},${y(0)}L${x(part[0][0]).toFixed(1)},${y(0)}Z`;
        image.append(svg("path", {class: `area ${style}`, d: line + ground}), svg("path", {class: style, d: line}));
      }
    });
    const shown = this.shown(known, x);
    if (shown && this.pointed !== null)
      image.append(svg("line", {class: "now", x1: x(shown[0]), x2: x(shown[0]), y1: top, y2: height - bottom}));
    this.tell(image, shown, now);
    this.place.replaceChildren(image);
  }

  // Runs of points without a gap.
  parts(now) {
    const parts = [];
    let open = null;
    for (const point of this.points) {
      if (point[1] === null || point[0] < now - kSpan) open = null;
      else if (open) open.push(point);
      else parts.push(open = [point]);
    }
    return parts;
  }

  shown(known, x) {
    if (this.pointed === null || known.length === 0) return known.at(-1);
    const distance = ([time]) => Math.abs(x(time) - this.pointed);
    return known.reduce((best, point) => distance(point) < distance(best) ? point : best);
  }

  tell(image, shown, now) {
    if (!shown) return;
    const entries = this.series.map(({label, style}, index) => {
      const key = element("i", style);
      return element("span", "", key, `${label} ${this.format(shown[1][index])}`);
    });
    const ago = Math.round((now - shown[0]) / 1000);
    if (this.pointed !== null && ago > 0) entries.push(element("span", "", `${duration(ago)} ago`));
    this.legend.replaceChildren(...entries);
    image.setAttribute("aria-label", this.legend.textContent);
  }
}

// ---- what the status says ----

function captureDropped(source) {
  return source.kernel_dropped + source.interface_dropped + source.unread;
}

function totalsOf(status) {
  const {interfaces, exporters} = status;
  return {
    packets: sum(interfaces.map((i) => i.metered.packets)),
    octets: sum(interfaces.map((i) => i.metered.octets)),
    flowsActive: sum(interfaces.map((i) => i.flows_active)),
    flowsCreated: sum(interfaces.map((i) => i.flows_created)),
    records: sum(exporters.map((e) => e.records)),
    packetsLost: sum(interfaces.map((i) => i.not_metered.packets)),
    recordsLost: sum(exporters.map((e) => sumOf(e.dropped))),
  };
}

// As /healthz has it.
function healthOf(status) {
  const problems = [], degraded = [];
  const sources = status.interfaces.flatMap((meter) => meter.members.length ? meter.members : [meter]);
  for (const source of sources)
    if (!source.up)
      (source.required ? problems : degraded).push(`interface ${source.name} is not captured on: ${source.state}`);
  if (!sources.some((source) => source.up)) problems.push("no interface is captured on");
  for (const exporter of status.exporters)
    if (exporter.failed_for_good) problems.push(`exporter ${exporter.name} has failed for good: ${exporter.last_error}`);
  return {problems, degraded};
}

function lossesOf(status) {
  const losses = [];
  const add = (where, cause, value) => {
    if (value > 0) losses.push([where, cause.replaceAll("_", " "), value]);
  };
  for (const meter of status.interfaces) {
    add(meter.name, "packets dropped by the kernel", meter.kernel_dropped);
    add(meter.name, "packets dropped by the interface", meter.interface_dropped);
    add(meter.name, "packets unread in a ring that was closed", meter.unread);
    add(meter.name, "packets shed under overload", meter.overload.packets_shed);
    add(meter.name, "packets after max_nflows", meter.discarded.packets);
    for (const [reason, value] of Object.entries(meter.ignored)) add(meter.name, `packets ignored: ${reason}`, value);
  }
  for (const exporter of status.exporters)
    for (const [cause, value] of Object.entries(exporter.dropped))
      add(exporter.name, `records dropped: ${cause}`, value);
  return losses.sort((a, b) => b[2] - a[2]);
}

// ---- the page ----

const plots = {
  bits: new Plot("bits", [{label: "", style: "first"}], bitsPerSecond),
  packets: new Plot("packets", [{label: "", style: "second"}], perSecond),
  flows: new Plot("flows", [{label: "flows begin", style: "first"}, {label: "records written", style: "second"}], perSecond),
  losses: new Plot("losses", [{label: "packets", style: "loss"}, {label: "records", style: "second"}], perSecond),
};
let before = null; // {time, totals, interfaces, exporters, started}

function set(id, text) {
  byId(id).textContent = text;
}

function showHead(status) {
  set("instance", status.instance);
  document.title = `${status.instance} · nfstreamd`;
  const reload = status.reload.result === "none" ? "" : ` · last reload ${status.reload.result} ${status.reload.time}`;
  set("about", `version ${status.version} · up ${duration(status.uptime_s)}${reload}`);
  const {problems, degraded} = healthOf(status);
  const [look, word] = problems.length ? ["bad", "not healthy"] : degraded.length ? ["degraded", "degraded"] : ["good", "healthy"];
  byId("health").className = `badge ${look}`;
  set("health", word);
  if (status.reload.result === "rejected") problems.push(`reload rejected: ${status.reload.detail}`);
  notice([...problems, ...degraded], problems.length === 0);
}

function notice(lines, mild = false) {
  byId("notice").classList.toggle("degraded", mild);
  byId("notice").hidden = lines.length === 0;
  set("notice", lines.join(" · "));
}

function showTiles(totals, rates) {
  set("packets", count(totals.packets));
  set("octets", octets(totals.octets));
  set("flows-active", count(totals.flowsActive));
  set("flows-created", count(totals.flowsCreated));
  set("records", count(totals.records));
  set("lost", count(totals.packetsLost + totals.recordsLost));
  set("lost-of", `${count(totals.packetsLost)} packets, ${count(totals.recordsLost)} records`);
  byId("loss-tile").classList.toggle("bad", totals.packetsLost + totals.recordsLost > 0);
  if (!rates) return;
  set("packets-rate", perSecond(rates.packets));
  set("bits-rate", bitsPerSecond(8 * rates.octets));
  set("records-rate", perSecond(rates.records));
}

function showInterfaces(status, rateOf) {
  const rows = status.interfaces.map((meter) => {
    const rate = (what, value) => rateOf(`${meter.id} ${what}`, value);
    const packets = rate("packets", meter.metered.packets), volume = rate("octets", meter.metered.octets);
    const dropped = captureDropped(meter), ignored = sumOf(meter.ignored);
    return element("tr", "",
      rowHead(meter.name), state(meter.up, meter.up ? "up" : meter.state), number(count(meter.metered.packets)),
      number(packets === null ? "–" : perSecond(packets)), number(volume === null ? "–" : bitsPerSecond(8 * volume)),
      number(count(meter.flows_active)), bar(meter.flows_active / meter.max_flows, "of the flow table in use"),
      number(count(dropped), dropped > 0), number(count(ignored)));
  });
  byId("interfaces").replaceChildren(...(rows.length ? rows : [spread(9, "nothing is metered")]));
}

function exporterState(exporter) {
  if (exporter.failed_for_good) return state(false, "failed");
  return state(exporter.up, exporter.up ? "up" : "down");
}

function showExporters(status, rateOf) {
  const rows = status.exporters.flatMap((exporter) => {
    const dropped = sumOf(exporter.dropped), rate = rateOf(`${exporter.name} exporter`, exporter.records);
    const head = element("tr", "",
      rowHead(exporter.name), exporterState(exporter), cell(exporter.destination, "where"), number(count(exporter.records)),
      number(rate === null ? "–" : perSecond(rate)), number(octets(exporter.octets)), number(count(exporter.queue_depth)),
      number(exporter.spool.path ? count(exporter.spool.records) : ""), number(count(dropped), dropped > 0));
    const parts = exporter.collectors.length < 2 ? [] : exporter.collectors.map((collector) =>
      element("tr", "part",
        rowHead("collector"), state(collector.up, collector.up ? "up" : "down"), cell(collector.destination, "where"),
        number(count(collector.records)), cell(""), number(octets(collector.octets)), cell(""), cell(""),
        number(count(collector.dropped), collector.dropped > 0)));
    const error = exporter.last_error && !exporter.up ? [spread(9, exporter.last_error, "error")] : [];
    return [head, ...parts, ...error];
  });
  byId("exporters").replaceChildren(...(rows.length ? rows : [spread(9, "no exporter is configured")]));
}

function showApplications(status) {
  const all = sum(status.applications.map((a) => a.octets));
  const rows = status.applications.slice(0, kApplications).map((application) =>
    element("tr", "",
      rowHead(application.name), bar(all ? application.octets / all : 0, "of all octets"), number(octets(application.octets)),
      number(count(application.packets)), number(count(application.flows))));
  const more = status.applications.length - rows.length;
  if (more > 0) rows.push(spread(5, `and ${more} more`));
  byId("applications").replaceChildren(...(rows.length ? rows : [spread(5, "no flow has ended yet, or none is dissected")]));
}

function showLosses(status) {
  const rows = lossesOf(status).map(([where, cause, value]) =>
    element("tr", "", rowHead(where), cell(cause), number(count(value))));
  byId("losses").replaceChildren(...(rows.length ? rows : [spread(3, "nothing was lost")]));
}

// Counters of another run, or of a part that was replaced, begin anew: no rate then.
function show(status, time) {
  const totals = totalsOf(status);
  const same = before && before.started === status.started;
  const seconds = same ? (time - before.time) / 1000 : 0;
  const counters = new Map();
  const rateOf = (key, value) => {
    counters.set(key, value);
    const last = same ? before.counters.get(key) : undefined;
    return last === undefined || value < last ? null : (value - last) / seconds;
  };
  const rates = Object.fromEntries(Object.entries(totals).map(([key, value]) => [key, rateOf(`all ${key}`, value)]));
  showHead(status);
  showTiles(totals, Object.values(rates).includes(null) && !same ? null : Object.fromEntries(
    Object.entries(rates).map(([key, value]) => [key, value ?? 0])));
  showInterfaces(status, rateOf);
  showExporters(status, rateOf);
  showApplications(status);
  showLosses(status);
  const values = (...keys) => keys.some((key) => rates[key] === null) ? null : keys.map((key) => rates[key]);
  plots.bits.add(time, values("octets")?.map((value) => 8 * value) ?? null);
  plots.packets.add(time, values("packets"));
  plots.flows.add(time, values("flowsCreated", "records"));
  plots.losses.add(time, values("packetsLost", "recordsLost"));
  set("updated", `updated ${new Date(time).toLocaleTimeString("en-GB")}`);
  before = {time, counters, started: status.started};
}

async function look() {
  try {
    const answer = await fetch("status.json", {cache: "no-store", signal: AbortSignal.timeout(4 * kPeriod)});
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    show(await answer.json(), Date.now());
  } catch (error) {
    byId("health").className = "badge bad";
    set("health", "no answer");
    notice([`The daemon does not answer (${error.message}); what is shown is of before.`]);
  }
  setTimeout(look, kPeriod);
}

look();
