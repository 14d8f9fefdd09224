// What the page of all curves does. Names come from files of others: they are only ever text (textContent, option texts, titles of
// an SVG), never parts of the page. Points of curves are numbers in files beside the page, read when a curve is opened.
"use strict";

const explorer = (() => {
  const FIRST_ROWS = 50;
  const FILTERS = ["origin", "benchmark", "task", "model_family", "metric", "verdict", "claimed"];
  const CLAIMED = ["not claimed", "claimed"];
  const $ = (id) => document.getElementById(id);
  const index = JSON.parse($("index").textContent);
  const { names, curves, files } = index;
  const n = curves.e.length;
  curves.origin = curves.benchmark.map((which) => names.benchmark_origin[which]);
  const form = $("filters");
  const readers = new Map();

  // text of each curve to search in, made once for each name
  const lower = {};
  for (const column of ["task", "subtask", "model_family", "metric_label"]) lower[column] = names[column].map((name) => name.toLowerCase());
  const values = { e: Float64Array.from(curves.e, (v) => v ?? NaN), relative: Float64Array.from(curves.relative, (v) => v ?? NaN) };
  const orders = new Map();

  function element(name, text, attributes = {}) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }

  const count = (number) => number.toLocaleString("en");
  const short = (value) => (value === null || Number.isNaN(value) ? "" : Math.abs(value) >= 1e4 ? value.toExponential(1) : String(Number(value.toPrecision(3))));
  const code = (column, row) => curves[column][row];
  const name = (column, row) => (code(column, row) < 0 ? "" : names[column][code(column, row)]);
  const task = (row) => name("task", row) + (name("subtask", row) ? ": " + name("subtask", row) : "");
  const family = (row) => name("model_family", row) + (curves.shots[row] === null ? "" : `, ${curves.shots[row]}-shot`);
  const metric = (row) => names.metric_label[code("metric", row)];
  const scaleName = (value) => {
    for (const [size, letter] of [[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "k"]]) if (value >= size && value < 1e15) return Number((value / size).toPrecision(3)) + letter;
    return value < 1e15 ? String(Number(value.toPrecision(3))) : value.toExponential(0).replace("+", "");
  };

  // ---- what is chosen

  function order(by) {
    if (!orders.has(by)) {
      const rows = Uint32Array.from({ length: n }, (_, row) => row);
      if (by !== "name") {
        const key = values[by];
        rows.sort((a, b) => (Number.isNaN(key[a]) ? (Number.isNaN(key[b]) ? a - b : 1) : Number.isNaN(key[b]) ? -1 : key[b] - key[a] || a - b));
      }
      orders.set(by, rows);
    }
    return orders.get(by);
  }

  function chosen() {
    const wanted = FILTERS.map((column) => [curves[column], form.elements[column].value]).filter(([, value]) => value !== "");
    const tests = wanted.map(([codes, value]) => [codes, Number(value)]);
    const words = form.elements.q.value.toLowerCase().split(/\s+/).filter(Boolean);
    // where a word is found among the names, once for each name
    const found = words.map((word) => Object.fromEntries(Object.entries(lower).map(([column, texts]) => [column, texts.map((text) => text.includes(word))])));
    const rows = [];
    all: for (const row of order($("sort").value)) {
      for (const [codes, value] of tests) if (codes[row] !== value) continue all;
      for (const where of found) {
        if (!(where.task[curves.task[row]] || where.subtask[curves.subtask[row]] || where.model_family[curves.model_family[row]] || where.metric_label[curves.metric[row]])) continue all;
      }
      rows.push(row);
    }
    return rows;
  }

  // the slider goes in equal ratios from a tenth of the first threshold to a hundred times it
  const start = (by) => index.thresholds[by] || 1;
  const atThreshold = (by, place) => Number((start(by) * 10 ** ((place - 33) / 33)).toPrecision(3));
  const toPlace = (by, value) => Math.round(33 + 33 * Math.log10(value / start(by)));
  let threshold = 0;

  // ---- what is shown

  let rows = [];
  let nShown = FIRST_ROWS;
  let looked = null;

  function update({ keep = false } = {}) {
    rows = chosen();
    if (!keep) nShown = FIRST_ROWS;
    recount();
    list();
    remember();
  }

  function recount() {
    const by = $("by").value;
    const key = values[by];
    threshold = atThreshold(by, Number($("at").value));
    $("at-value").textContent = short(threshold);
    $("at").setAttribute("aria-valuetext", short(threshold));
    const found = new Map();
    let above = 0, known = 0;
    for (const row of rows) {
      const which = curves.metric[row];
      let line = found.get(which);
      if (!line) found.set(which, (line = { curves: 0, known: 0, above: 0 }));
      line.curves += 1;
      if (!curves.counted[row] || Number.isNaN(key[row])) continue;
      line.known += 1;
      known += 1;
      if (key[row] >= threshold) { line.above += 1; above += 1; }
    }
    const metricsAbove = [...found.values()].filter((line) => line.above).length;
    $("said").textContent = `${count(above)} of ${count(known)} counted curves, under ${count(metricsAbove)} of ${count(found.size)} metrics, are at ${short(threshold)} or above.`
      + (known < rows.length ? ` ${count(rows.length - known)} more are not counted.` : "");
    const lines = [...found].sort(([a, x], [b, y]) => y.above - x.above || y.curves - x.curves || a - b);
    fill($("counts"), ["Metric", "Kind", "Curves", "Counted", "At or above", "Share"], lines.map(([which, line]) => [
      names.metric_label[which], names.kind[which], count(line.curves), count(line.known), count(line.above),
      line.known ? (100 * line.above / line.known).toFixed(1) + " %" : ""]), 2);
    histogram(key, by);
  }

  function histogram(key, by) {
    // linear near zero, logarithmic beyond, as E runs from below zero to millions
    const unit = by === "e" ? 10 : 1;
    const bend = (value) => Math.asinh(value / unit);
    let low = Infinity, high = -Infinity;
    for (const row of rows) { const v = key[row]; if (v < low) low = v; if (v > high) high = v; }
    if (!(low <= high)) { $("histogram").replaceChildren(); return; }
    low = Math.min(low, 0, threshold); high = Math.max(high, threshold, unit);
    const from = bend(low), width = (bend(high) - from) / 40;
    const bins = new Uint32Array(40);
    for (const row of rows) { const v = key[row]; if (!Number.isNaN(v)) bins[Math.min(39, Math.floor((bend(v) - from) / width))] += 1; }
    const data = Array.from(bins, (value, i) => ({ x1: unit * Math.sinh(from + i * width), x2: unit * Math.sinh(from + (i + 1) * width), value })).filter((bin) => bin.value);
    const ticks = [-1e6, -1e4, -100, -10, -1, 0, 1, 2, 5, 10, 20, 100, 1e3, 1e4, 1e6, 1e8].map((tick) => tick * (by === "e" ? 5 : 1)).filter((tick) => tick >= low && tick <= high);
    const picture = Plot.plot({
      width: Math.max(280, Math.min(900, $("histogram").clientWidth || 600)), height: 150, marginLeft: 45, ariaLabel: "How many curves have which score",
      x: { type: "symlog", constant: unit, domain: [low, high], label: by === "e" ? "E" : "relative E", ticks, tickFormat: short },
      y: { label: "curves", ticks: 3, tickFormat: (v) => (Number.isInteger(v) ? count(v) : "") },
      marks: [Plot.rectY(data, { x1: "x1", x2: "x2", y: "value", insetRight: 1, fill: (bin) => (bin.x1 >= threshold ? "var(--mark)" : "var(--accent)") }), Plot.ruleY([0]), Plot.ruleX([threshold], { stroke: "currentColor", strokeDasharray: "4 3" })],
    });
    $("histogram").replaceChildren(asImage(picture));
  }

  // one picture for those who have it read aloud, not one for each kind of mark in it
  function asImage(picture) {
    picture.setAttribute("role", "img");
    for (const mark of picture.querySelectorAll("[aria-label]")) {
      mark.setAttribute("data-mark", mark.getAttribute("aria-label"));
      mark.removeAttribute("aria-label");
    }
    return picture;
  }

  function fill(table, headers, lines, numbersFrom) {
    const head = element("tr");
    headers.forEach((text, i) => head.append(element("th", text, { scope: "col", class: i >= numbersFrom ? "number" : "" })));
    const body = element("tbody");
    for (const cells of lines) {
      const line = element("tr");
      cells.forEach((cell, i) => {
        const td = element("td", cell instanceof Node ? undefined : cell, { class: i >= numbersFrom ? "number" : "" });
        if (cell instanceof Node) td.append(cell);
        line.append(td);
      });
      body.append(line);
    }
    const thead = element("thead");
    thead.append(head);
    table.replaceChildren(thead, body);
    return body;
  }

  function list() {
    const shown = rows.slice(0, nShown);
    const several = names.benchmark.length > 1, judged = names.verdict.length > 0;
    const body = fill($("curves"), ["Task", "Family", "Metric", ...(several ? ["Benchmark"] : []), ...(judged ? ["Verdict"] : []), "Relative E", "E"], shown.map((row) => {
      const button = element("button", task(row), { type: "button" });
      button.addEventListener("click", () => open(row, true));
      return [button, family(row), metric(row), ...(several ? [name("benchmark", row)] : []), ...(judged ? [name("verdict", row).replaceAll("_", " ")] : []), short(curves.relative[row]), short(curves.e[row])];
    }), 3 + several + judged);
    [...body.children].forEach((line, i) => { if (looked !== null && ability(shown[i])[0] === ability(looked)[0]) line.setAttribute("aria-current", "true"); });
    $("list-title").textContent = `Curves (${count(rows.length)})`;
    $("more").hidden = rows.length <= nShown;
  }

  // ---- one ability: its curves under every metric

  const OUTPUTS = ["benchmark", "task", "subtask", "model_family"];
  const sameOutputs = (a, b) => OUTPUTS.every((column) => curves[column][a] === curves[column][b]) && curves.shots[a] === curves.shots[b];

  function ability(row) {
    let first = row, last = row;
    while (first > 0 && sameOutputs(first - 1, row)) first -= 1;
    while (last + 1 < n && sameOutputs(last + 1, row)) last += 1;
    return [first, last];
  }

  const file = (row) => { let i = files.length - 1; while (files[i] > row) i -= 1; return i; };

  function load(number) {
    if (!readers.has(number)) {
      readers.set(number, new Promise((resolve, reject) => {
        const script = element("script", undefined, { src: `explorer/${number}.js` });
        script.addEventListener("error", () => { readers.delete(number); script.remove(); reject(new Error(`explorer/${number}.js, which has the points of this curve, is not beside this page.`)); });
        waiting.set(number, resolve);
        document.head.append(script);
      }));
    }
    return readers.get(number);
  }

  const waiting = new Map();
  const add = (number, content) => waiting.get(number)?.(content);

  async function points(row) {
    const number = file(row);
    const [exponent, along, scores, halves, chance] = (await load(number))[row - files[number]];
    const times = (value, power) => Number(`${value}e${power}`);
    return { row, chance, points: index.scales[along].map((scale, i) => ({ scale, score: times(scores[i], exponent), half: halves === 0 || halves[i] < 0 ? null : times(halves[i], exponent + 1) })) };
  }

  let drawn = [];

  async function open(row, move = false) {
    looked = row;
    const [first, last] = ability(row);
    $("title").textContent = `${task(row)}, ${family(row)}`;
    const verdict = name("verdict", row);
    $("verdict").textContent = [verdict && `Verdict: ${verdict.replaceAll("_", " ")} (${name("reason", row)}).`, curves.claimed[row] === null ? "" : curves.claimed[row] ? "Claimed as emergent." : "Not claimed as emergent."].filter(Boolean).join(" ");
    $("looked-at").hidden = false;
    try {
      drawn = await Promise.all(Array.from({ length: last - first + 1 }, (_, i) => points(first + i)));
    } catch (error) {
      $("panels").replaceChildren(element("p", error.message, { role: "alert" }));
      return;
    }
    if (looked !== row) return;
    draw();
    fill($("numbers"), ["Metric", names.scale_label[code("benchmark", row)], "Score", "Two standard errors"], drawn.flatMap((curve) => curve.points.map((point) => [metric(curve.row), scaleName(point.scale), String(point.score), point.half === null ? "" : String(point.half)])), 1);
    list();
    remember();
    if (move) $("title").focus();
  }

  // powers of ten where there are some, and at most five
  function scaleTicks(points) {
    if ($("x").value === "linear") return 4;
    const low = Math.log10(points[0].scale), high = Math.log10(points.at(-1).scale);
    const powers = d3.range(Math.ceil(low - 0.02), Math.floor(high + 0.02) + 1);
    if (powers.length < 2) return points.length > 5 ? [points[0].scale, points.at(-1).scale] : points.map((point) => point.scale);
    const step = Math.ceil(powers.length / 5);
    return powers.filter((power) => power % step === 0).map((power) => 10 ** power);
  }

  function draw() {
    $("panels").replaceChildren(...drawn.map((curve) => {
      const { row, chance, points } = curve;
      const upsideDown = names.lower_is_better[curves.metric[row]];
      const logarithmic = $("y").value === "log";
      const shown = logarithmic ? points.filter((point) => point.score > 0) : points;
      const left = points.length - shown.length;
      const bars = shown.filter((point) => point.half !== null && point.half > 0).map((point) => ({ ...point, low: logarithmic ? Math.max(point.score - point.half, point.score / 100) : point.score - point.half, high: point.score + point.half }));
      const kind = names.kind[curves.metric[row]];
      const words = [metric(row), kind === "unknown" ? "" : kind, curves.relative[row] === null ? "" : `relative E ${short(curves.relative[row])}`, curves.e[row] === null ? name("status", row).replaceAll("_", " ") : `E ${short(curves.e[row])}`, name("word", row).replaceAll("_", " "), left ? `${left} scores of 0 or less are not on this axis` : ""].filter(Boolean).join(" · ");
      const figure = element("figure");
      figure.append(element("figcaption", words));
      const picture = Plot.plot({
        width: 340, height: 240, marginLeft: 55, marginBottom: 38, ariaLabel: `${words}: ${points.map((point) => `${short(point.score)} at ${scaleName(point.scale)}`).join(", ")}`,
        inset: 8,
        x: { type: $("x").value, label: names.scale_label[code("benchmark", row)], ticks: scaleTicks(points), tickFormat: scaleName },
        y: { type: logarithmic ? "log" : "linear", label: upsideDown ? "lower is better; axis reversed" : "score", reverse: upsideDown, grid: true, ticks: 5, tickFormat: short, nice: true },
        marks: [
          chance === null || (logarithmic && chance <= 0) ? null : Plot.ruleY([chance], { stroke: "currentColor", strokeDasharray: "4 3" }),
          Plot.ruleX(bars, { x: "scale", y1: "low", y2: "high", stroke: "var(--accent)" }),
          Plot.lineY(shown, { x: "scale", y: "score", stroke: "var(--accent)", strokeWidth: 2 }),
          Plot.dot(shown, { x: "scale", y: "score", fill: "var(--accent)", r: 3.5, tip: true, title: (point) => `${short(point.score)} at ${scaleName(point.scale)}${point.half === null ? "" : `, ± ${short(point.half)}`}` }),
        ],
      });
      figure.append(asImage(picture));
      return figure;
    }));
  }

  // ---- what can be taken away

  function save(text, type, filename) {
    const link = element("a", undefined, { download: filename, href: URL.createObjectURL(new Blob([text], { type })) });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  const cell = (value) => { const text = value === null || value === undefined ? "" : String(value); return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text; };
  const csv = (lines) => lines.map((line) => line.map(cell).join(",")).join("\r\n") + "\r\n";
  const KEY = ["benchmark", "task", "subtask", "model_family", "shots", "metric"];
  const key = (row) => KEY.map((column) => (column === "shots" ? curves.shots[row] : name(column, row)));

  function saveList() {
    const lines = rows.map((row) => [...key(row), names.kind[curves.metric[row]], curves.n_scales[row], curves.counted[row], name("status", row), curves.e[row], curves.relative[row], name("word", row), name("verdict", row), curves.claimed[row]]);
    save(csv([[...KEY, "kind", "n_scales", "counted", "status", "emergence_score", "relative_emergence_score", "word", "verdict", "claimed"], ...lines]), "text/csv", "curves.csv");
  }

  function saveCsv() {
    const lines = drawn.flatMap((curve) => curve.points.map((point) => [...key(curve.row), point.scale, point.score, point.half, curve.chance]));
    save(csv([[...KEY, "scale", "score", "two_standard_errors", "chance"], ...lines]), "text/csv", "curve.csv");
  }

  function saveSvg() {
    const space = "http://www.w3.org/2000/svg";
    const whole = document.createElementNS(space, "svg");
    const panels = [...$("panels").querySelectorAll("figure")];
    const across = Math.min(3, panels.length);
    const size = [360 * across, 40 + 280 * Math.ceil(panels.length / across)];
    for (const [attribute, value] of Object.entries({ xmlns: space, width: size[0], height: size[1], viewBox: `0 0 ${size[0]} ${size[1]}`, fill: "#1c1f23", color: "#1c1f23", "font-family": "sans-serif" })) whole.setAttribute(attribute, value);
    const text = (words, x, y, points) => { const made = document.createElementNS(space, "text"); made.textContent = words; for (const [attribute, value] of Object.entries({ x, y, "font-size": points })) made.setAttribute(attribute, value); return made; };
    whole.append(text($("title").textContent, 10, 20, 14));
    panels.forEach((panel, i) => {
      const x = 360 * (i % across), y = 40 + 280 * Math.floor(i / across);
      const copy = panel.querySelector("svg").cloneNode(true);
      copy.setAttribute("x", x); copy.setAttribute("y", y + 20);
      whole.append(text(panel.querySelector("figcaption").textContent, x + 10, y + 12, 10), copy);
    });
    save(new XMLSerializer().serializeToString(whole).replaceAll("var(--accent)", "#0b5fa5").replaceAll("var(--plot-background)", "#fff"), "image/svg+xml", "curves.svg");
  }

  // ---- a link that names the selection

  function remember() {
    const said = new URLSearchParams();
    if (form.elements.q.value) said.set("q", form.elements.q.value);
    for (const column of FILTERS) {
      const value = form.elements[column].value;
      if (value !== "") said.set(column, column === "claimed" ? value : names[column][Number(value)]);
    }
    for (const id of ["by", "sort", "x", "y"]) if ($(id).selectedIndex) said.set(id, $(id).value);
    said.set("at", String(threshold));
    if (looked !== null) said.set("curve", JSON.stringify(key(looked)));
    history.replaceState(null, "", "#" + said);
  }

  function recall() {
    const said = new URLSearchParams(location.hash.slice(1));
    form.elements.q.value = said.get("q") ?? "";
    for (const column of FILTERS) {
      const value = location.hash.length < 2 && column === "origin" ? names.origin[0] ?? null : said.get(column);
      const place = value === null ? -1 : column === "claimed" ? Number(value) : names[column].indexOf(value);
      form.elements[column].value = place >= 0 ? String(place) : "";
    }
    for (const id of ["by", "sort", "x", "y"]) {
      const known = [...$(id).options].some((option) => option.value === said.get(id));
      $(id).selectedIndex = 0;
      if (known) $(id).value = said.get(id);
    }
    const at = Number(said.get("at"));
    $("at").value = String(toPlace($("by").value, at > 0 ? at : start($("by").value)));
    const wanted = said.get("curve");
    looked = null;
    if (wanted !== null) for (let row = 0; row < n; row += 1) if (JSON.stringify(key(row)) === wanted) { looked = row; break; }
  }

  function options(column, texts, all) {
    const select = form.elements[column];
    select.append(element("option", all, { value: "" }));
    texts.map((text, i) => [text, i]).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).forEach(([text, i]) => select.append(element("option", text, { value: i })));
    select.closest("label").hidden = texts.length < 2 && column !== "claimed";
  }

  function begin() {
    options("origin", names.origin, "all");
    // at first, and after Clear, only curves of one origin are counted together
    form.elements.origin.querySelector('[value="0"]')?.toggleAttribute("selected", true);
    options("benchmark", names.benchmark, "all");
    options("task", names.task, "all");
    options("model_family", names.model_family, "all");
    options("metric", names.metric_label, "all");
    options("verdict", names.verdict.map((text) => text.replaceAll("_", " ")), "all");
    options("claimed", CLAIMED, "all");
    form.elements.claimed.closest("label").hidden = curves.claimed.every((value) => value === null);
    recall();
    let timer = 0;
    form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(update, 60); });
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(update));
    $("at").addEventListener("input", () => { recount(); remember(); });
    $("by").addEventListener("change", () => { $("at").value = "33"; recount(); remember(); });
    $("sort").addEventListener("change", () => update());
    for (const id of ["x", "y"]) $(id).addEventListener("change", () => { draw(); remember(); });
    $("more").addEventListener("click", () => { nShown *= 2; list(); });
    $("save-list").addEventListener("click", saveList);
    $("save-csv").addEventListener("click", saveCsv);
    $("save-svg").addEventListener("click", saveSvg);
    $("copy").addEventListener("click", async () => {
      try { await navigator.clipboard.writeText(location.href); $("copy").textContent = "Copied"; } catch { $("copy").textContent = "Copy the address of this page"; }
      setTimeout(() => { $("copy").textContent = "Copy link"; }, 2000);
    });
    addEventListener("hashchange", () => { recall(); update(); if (looked !== null) open(looked); });
    const named = looked;
    update();
    if (named !== null) open(named, true);
    else if (rows.length) open(rows[0]);
  }

  addEventListener("DOMContentLoaded", begin);
  return { add };
})();
