"use strict";
(async () => {
  let data;
  const SVG = "http://www.w3.org/2000/svg";
  const STATES = { "bills": "good", "does not bill": "bad", "bills, with faults": "faults", "not known": "unknown" };
  const PHASE_STATES = { passed: "good", failed: "bad", blocked: "faults", unknown: "unknown" };
  // The height of a cell says the same as its colour.
  const HEIGHTS = { good: 9, faults: 15, bad: 22, unknown: 4 };
  const CHARTS = [
    ["duration", "Duration", seconds],
    ["certificate_days", "Certificate", value => `${value} ${value === 1 ? "day" : "days"}`],
    ["first_invoice", "Time to first invoice", seconds],
    ["queue_age", "Oldest job of a queue", seconds],
    ["disk_free", "Free disk", value => `${Math.round(value / 102.4) / 10} GiB`],
  ];
  const FEWEST = 30;

  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const radios = all(".filter input");
  const phase = () => (radios.find(each => each.checked) || { value: "" }).value;

  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  function drawn(name, attributes, ...children) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  function seconds(value) {
    const steps = [[86400, "days"], [3600, "h"], [60, "min"]];
    const [length, unit] = steps.find(([length]) => value >= 2 * length) || [1, "s"];
    const number = value / length;
    return `${number < 10 ? Math.round(number * 10) / 10 : Math.round(number)} ${unit}`;
  }

  function count(number, one, many) {
    return `${number} ${number === 1 ? one : many}`;
  }

  // The runs of a host, oldest first.
  function runsOf(host) {
    let minutes = 0;
    return host.t.map((step, at) => {
      minutes += step;
      const measured = { duration: host.d[at] };
      for (const name in host.m) measured[name] = host.m[name][at];
      const phases = {};
      for (const number in host.p) phases[number] = data.words[host.p[number][at]] || "not run";
      return {
        at: new Date(minutes * 60000).toISOString().slice(0, 16).replace("T", " ") + " UTC",
        billing: data.billing[host.b[at]],
        cause: data.causes[host.c[at]],
        scheduled: host.h[at] === "1",
        measured,
        phases,
      };
    });
  }

  const known = new Map();
  function runs(number) {
    if (!known.has(number)) known.set(number, runsOf(data.hosts[number]));
    return known.get(number);
  }

  // What a run was: of the whole, or of the phase that is chosen.
  function word(run) {
    return phase() === "" ? run.billing : run.phases[phase()] || "not run";
  }

  function state(run) {
    return (phase() === "" ? STATES : PHASE_STATES)[word(run)];
  }

  // The newest run is at the right end; a few runs don't become broad.
  function slots(list) {
    return Math.max(list.length, FEWEST);
  }

  function strip(list) {
    const wide = slots(list), first = wide - list.length, paths = {};
    list.forEach((run, at) => {
      const kind = state(run);
      if (kind) paths[kind] = `${paths[kind] || ""}M${(first + at) * 4} 22v-${HEIGHTS[kind]}h3v${HEIGHTS[kind]}z`;
    });
    const counted = {};
    list.forEach(run => { counted[word(run)] = (counted[word(run)] || 0) + 1; });
    const said = Object.entries(counted).map(([what, number]) => `${number} ${what}`).join(", ");
    return drawn("svg", { viewBox: `0 0 ${wide * 4 - 1} 22`, preserveAspectRatio: "none", role: "img", "aria-label": `Last ${count(list.length, "run", "runs")}: ${said}` },
      ...Object.entries(paths).map(([kind, d]) => drawn("path", { class: `cells ${kind}`, d })));
  }

  function curve(list, name) {
    const wide = slots(list), first = wide - list.length;
    const values = list.map(run => run.measured[name]);
    const top = Math.max(...values.filter(value => value != null), 1e-9);
    let line = "", area = "", begun = null;
    values.forEach((value, at) => {
      if (value == null) { if (begun !== null) area += `V44H${begun}z`; begun = null; return; }
      const x = (first + at) * 4 + 1.5, y = Math.round((1 - Math.max(value, 0) / top) * 400) / 10 + 3;
      line += begun === null ? `M${x} ${y}h.01` : `L${x} ${y}`;
      area += begun === null ? `M${x} ${y}` : `L${x} ${y}`;
      if (begun === null) begun = x;
    });
    if (begun !== null) area += `V44H${begun}z`;
    return drawn("svg", { viewBox: `0 0 ${wide * 4 - 1} 46`, preserveAspectRatio: "none" },
      drawn("path", { class: "axis", d: `M0 44.5H${wide * 4 - 1}` }), drawn("path", { class: "area", d: area }), drawn("path", { class: "trace", d: line }));
  }

  function legend() {
    const states = phase() === "" ? STATES : PHASE_STATES;
    return element("p", { class: "legend" }, ...Object.entries(states).map(([what, kind]) => element("span", {},
      drawn("svg", { viewBox: "0 0 7 22", preserveAspectRatio: "none" }, drawn("path", { class: `cells ${kind}`, d: `M0 22v-${HEIGHTS[kind]}h7v${HEIGHTS[kind]}z` })), what)));
  }

  function history(box) {
    const list = runs(Number(box.dataset.history)), last = list.length - 1, first = slots(list) - list.length;
    box.replaceChildren();
    const charts = [];
    const row = (title, now, range, svg, kind) => {
      const chart = element("div", { class: `chart ${kind}` }, svg);
      charts.push(chart);
      box.append(element("div", { class: "history-row" },
        element("div", {}, element("b", {}, title), element("span", { class: "now" }, now), element("span", { class: "range" }, range)), chart));
    };
    row(phase() === "" ? "Verdict" : `Phase ${phase()}`, word(list[last]), `${count(list.length, "run", "runs")} since ${list[0].at.slice(0, 10)}`, strip(list), "states");
    box.append(legend());
    for (const [name, title, unit] of CHARTS) {
      const values = list.map(run => run.measured[name]).filter(value => value != null);
      if (!values.length) continue;
      const now = list[last].measured[name];
      const low = Math.min(...values), high = Math.max(...values);
      row(title, now == null ? "not read" : unit(now), low === high ? "always" : `${unit(low)} to ${unit(high)}`, curve(list, name), "");
    }
    const range = element("input", { type: "range", min: 0, max: last, value: last, "aria-label": "Run", autocomplete: "off" });
    const readout = element("p", { class: "readout" });
    const cursors = charts.map(chart => chart.appendChild(element("span", { class: "cursor" })));
    const show = at => {
      const run = list[at], place = `${((first + at) * 4 + 1.5) / (slots(list) * 4 - 1) * 100}%`;
      cursors.forEach(cursor => { cursor.style.left = place; });
      const parts = [word(run), ...(run.cause ? [run.cause] : []), run.scheduled ? "scheduled" : "by hand",
        ...CHARTS.filter(([name]) => run.measured[name] != null).map(([name, title, unit]) => `${title.toLowerCase()} ${unit(run.measured[name])}`)];
      readout.replaceChildren(element("b", {}, run.at), ` ${parts.join(" · ")}`);
      range.setAttribute("aria-valuetext", `${run.at}, ${parts.join(", ")}`);
    };
    const look = at => { box.classList.add("looking"); show(at); };
    range.addEventListener("input", () => look(Number(range.value)));
    range.addEventListener("focus", () => look(Number(range.value)));
    for (const chart of charts) {
      chart.addEventListener("pointermove", event => {
        const frame = chart.getBoundingClientRect();
        const at = Math.floor((event.clientX - frame.left) / frame.width * slots(list)) - first;
        range.value = Math.min(Math.max(at, 0), last);
        look(Number(range.value));
      });
    }
    box.append(element("div", { class: "pick" }, element("span", {}, "Look at one run"), range), readout, table(list));
    show(last);
  }

  function table(list) {
    const made = element("details", { class: "table" }, element("summary", {}, "All runs as a table"));
    made.addEventListener("toggle", () => {
      if (!made.open || made.childElementCount > 1) return;
      const columns = CHARTS.filter(([name]) => list.some(run => run.measured[name] != null));
      const head = element("tr", {}, ...["Time", "Verdict", "First cause"].map(each => element("th", { scope: "col" }, each)),
        ...columns.map(([, title]) => element("th", { scope: "col", class: "optional" }, title)));
      const rows = [...list].reverse().map(run => element("tr", {}, element("td", {}, run.at), element("td", {}, run.billing), element("td", {}, run.cause || "none"),
        ...columns.map(([name, , unit]) => element("td", { class: "optional" }, run.measured[name] == null ? "not read" : unit(run.measured[name])))));
      made.append(element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows)));
    });
    return made;
  }

  // The checks of a host by phase; those that did not pass come first.
  function phases(host) {
    const found = new Map();
    let own = 0;
    data.names.forEach(([number, name], at) => {
      if (host.o[at] === "-") return;
      if (!found.has(number)) found.set(number, []);
      found.get(number).push([data.outcomes[host.o[at]] || "not known", name, host.s[own++]]);
    });
    return [...found].sort(([one], [other]) => one - other);
  }

  function listed(checks) {
    const last = outcome => Number(outcome === "passed");
    return element("ul", {}, ...[...checks].sort(([one], [other]) => last(one) - last(other)).map(([outcome, name, tenths]) => {
      const [file, test] = name.includes("::") ? name.split(/::(.*)/s) : ["", name];
      return element("li", { class: outcome }, element("span", { class: "outcome" }, outcome),
        element("span", { title: name }, test.replace(/^test_/, "").replaceAll("_", " ") + " ", element("small", {}, file.replace(/^.*suites\//, ""))),
        element("small", { class: "took" }, `${tenths / 10} s`));
    }));
  }

  function checks(box) {
    box.replaceWith(...phases(data.hosts[box.dataset.checks]).map(([number, found]) => {
      const bar = drawn("svg", { viewBox: `0 0 ${found.length} 4`, preserveAspectRatio: "none" }), counts = element("span", { class: "counts" });
      let before = 0;
      for (const outcome of [...data.outcomes, "not known"]) {
        const width = found.filter(([each]) => each === outcome).length;
        if (!width) continue;
        bar.append(drawn("rect", { class: outcome, x: before, width, height: 4 }));
        counts.append(element("span", { class: outcome }, `${width} ${outcome}`));
        before += width;
      }
      const made = element("details", { "data-phase": number }, element("summary", {}, element("span", { class: "title" }, `${number} ${data.phases[number] || ""}`), bar, counts));
      made.addEventListener("toggle", () => { if (made.open && made.childElementCount === 1) made.append(listed(found)); });
      return made;
    }));
  }

  function names(box) {
    const places = box.dataset.names.split(" ").filter(each => each !== "");
    const made = element("details", { class: "names" }, element("summary", {}, box.textContent.trim()));
    made.addEventListener("toggle", () => {
      if (made.open && made.childElementCount === 1) made.append(element("ul", {}, ...places.map(place => element("li", {}, data.names[place][1].split(/::(.*)/s)[1] || data.names[place][1]))));
    });
    if (places.length) box.replaceWith(made);
  }

  function opened(root) {
    all("[data-names]", root).forEach(names);
    all("[data-history]", root).forEach(history);
    all("[data-checks]", root).forEach(checks);
  }

  function filtered() {
    const status = document.getElementById("filtered");
    if (!status) return;
    const visible = selector => all(selector).filter(each => each.dataset.phase.split(" ").includes(phase())).length;
    if (phase() === "") status.textContent = "";
    else {
      const parts = [count(visible(".causes li[data-phase]"), "cause", "causes"), count(visible(".unjudged li[data-phase]"), "reason for not judging", "reasons for not judging"),
        count(visible(".warnings details"), "warning", "warnings")];
      const hosts = all("details.host"), left = hosts.length - visible("details.host");
      status.textContent = `Phase ${phase()}: ${parts.join(", ")}.` + (left ? ` ${count(left, "host", "hosts")} with nothing to show ${left === 1 ? "is" : "are"} hidden.` : "");
    }
  }

  function draw() {
    all("[data-strip]").forEach(box => {
      const list = runs(Number(box.dataset.strip));
      if (list.length) box.replaceChildren(strip(list));
    });
    all(".host[open], .one .host").forEach(opened);
  }

  async function copy(text) {
    // A page from a server without TLS has no clipboard of its own.
    if (navigator.clipboard && window.isSecureContext) {
      try { return await navigator.clipboard.writeText(text); } catch { /* refused: the older way may work */ }
    }
    const field = element("textarea", { readonly: "", class: "hidden" });
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    if (!done) throw new Error("refused");
  }

  all(".command").forEach(box => {
    const code = box.firstElementChild, button = element("button", { type: "button", class: "copy" }, "Copy", element("span", { class: "hidden" }, ` ${code.textContent.slice(0, 80)}`));
    const words = button.firstChild, said = document.getElementById("said");
    button.addEventListener("click", async () => {
      try {
        await copy(code.textContent);
        words.data = said.textContent = "Copied";
        button.focus();
      } catch {
        window.getSelection().selectAllChildren(code);
        words.data = "Press Ctrl+C";
        said.textContent = "The browser doesn't allow copying; the command is selected, press Ctrl+C";
      }
      setTimeout(() => { words.data = "Copy"; said.textContent = ""; }, 2000);
    });
    box.append(button);
  });

  async function unpacked() {
    const bytes = Uint8Array.from(atob(document.getElementById("data").textContent), each => each.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).json();
  }

  try {
    data = await unpacked();
  } catch {
    document.querySelector("main").prepend(element("p", { class: "note" }, "This browser is too old for the charts of earlier runs and the lists of checks. They are in summary.json."));
    radios.forEach(radio => radio.addEventListener("change", filtered));
    return filtered();
  }
  radios.forEach(radio => radio.addEventListener("change", () => { filtered(); draw(); }));
  all("details.host").forEach(host => host.addEventListener("toggle", () => { if (host.open) opened(host); }));
  const asked = location.hash && document.getElementById(location.hash.slice(1));
  if (asked && asked.matches("details.host")) asked.open = true;
  window.addEventListener("beforeprint", () => all(".one .warnings details, .one .run details").forEach(each => { each.open = true; }));
  filtered();
  draw();
  document.body.dataset.drawn = "";
})();
