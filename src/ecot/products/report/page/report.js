"use strict";
// The page computes nothing: it chooses among what it holds, and paints it in the colours of its style.

const data = JSON.parse(document.getElementById("data").textContent);
const root = document.documentElement;
const colour = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const format = (value) => (value === null ? "–" : value.toFixed(6));
const SMALL = 640; // pixels: narrower charts leave the space to the curves

// Charts: name -> { data, layout, hidden: keys that are switched off, shownFor }

const charts = {};
for (const [name, chart] of Object.entries(data.charts)) {
  const element = document.getElementById(`chart-${name}`);
  if (element) charts[name] = { ...chart, element, hidden: new Set(), shownFor: "mse_input" };
}

function painted(chart) {
  return chart.data.map((trace) => {
    const paint = colour(trace.meta.colour);
    const visible = !chart.hidden.has(trace.meta.key) && (!trace.meta.for || trace.meta.for === chart.shownFor);
    const copy = { ...trace, visible, showlegend: false };
    if (trace.fill) return { ...copy, fillcolor: paint };
    copy.line = { ...trace.line, color: paint };
    copy.marker = { ...trace.marker, color: paint, line: { width: 2, ...trace.marker?.line, color: paint } };
    if (trace.error_y) copy.error_y = { ...trace.error_y, color: paint };
    return copy;
  });
}

function axis(settings) {
  return {
    ...settings,
    title: { standoff: 8, ...settings.title },
    gridcolor: colour("line"),
    linecolor: colour("grey"),
    zerolinecolor: colour("line"),
    ticks: "outside",
  };
}

function draw(name) {
  const chart = charts[name];
  const narrow = chart.element.clientWidth < SMALL;
  const layout = { ...chart.layout, paper_bgcolor: colour("page"), plot_bgcolor: colour("page") };
  for (const key of Object.keys(layout)) if (/^[xy]axis/.test(key)) layout[key] = axis(layout[key]);
  layout.font = { color: colour("ink"), family: getComputedStyle(document.body).fontFamily, size: narrow ? 12 : 14 };
  layout.margin = { l: narrow ? 60 : 75, r: 12, t: 16, b: 50 };
  layout.hoverlabel = { bgcolor: colour("panel"), bordercolor: colour("grey"), font: { color: colour("ink") } };
  if (chart.ranges[chart.shownFor] && !chart.whole) layout.yaxis.range = [...chart.ranges[chart.shownFor]];
  else if (chart.whole) delete layout.yaxis.range;
  if (chart.at !== undefined) {
    const line = { color: colour("grey"), width: 1.5, dash: "dot" };
    layout.shapes = [{ type: "line", x0: chart.at, x1: chart.at, y0: 0, y1: 1, yref: "paper", line }];
  }
  // Without the buttons that offer to send a chart somewhere.
  const modeBarButtons = [["toImage", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]];
  const displayModeBar = !narrow && root.dataset.print === undefined;
  chart.element.style.minHeight = `${layout.height}px`;
  Plotly.react(chart.element, painted(chart), layout, { responsive: true, displaylogo: false, displayModeBar, modeBarButtons });
  // Plotly's tools are for the mouse: the page has boxes, sliders and tables for what they do.
  for (const tool of all(".modebar, #js-plotly-tester")) tool.setAttribute("aria-hidden", "true");
  sayWhatIsCutOff(name);
}

// What of the visible curves lies above the panel is said in words beside the chart.
function sayWhatIsCutOff(name) {
  const place = document.getElementById(`cut-${name}`);
  const chart = charts[name];
  if (!place || !chart.ranges[chart.shownFor]) return;
  const top = chart.whole ? Infinity : chart.ranges[chart.shownFor][1];
  const cut = new Map();
  for (const trace of painted(chart)) {
    if (!trace.visible || (trace.yaxis ?? "y") !== "y" || trace.meta.key === "band") continue;
    const highest = Math.max(...trace.y.filter((value) => value !== null));
    if (highest > top) cut.set(trace.name, highest.toFixed(3));
  }
  const words = [...cut].map(([label, highest]) => `${label} (up to ${highest})`).join("; ");
  place.textContent = words ? `Cut off at the upper edge: ${words}.` : "";
}

for (const legend of all("[data-legend]")) {
  legend.addEventListener("change", ({ target }) => {
    const chart = charts[legend.dataset.legend];
    chart.hidden[target.checked ? "delete" : "add"](target.value);
    draw(legend.dataset.legend);
  });
}

for (const select of all("select[data-quantity]")) {
  select.addEventListener("change", () => {
    charts[select.dataset.quantity].shownFor = select.value;
    draw(select.dataset.quantity);
  });
}

for (const box of all("[data-whole]")) {
  box.addEventListener("change", () => {
    charts[box.dataset.whole].whole = box.checked;
    draw(box.dataset.whole);
  });
}

// Images: a slider over the rates of a task moves the line in its chart as well.

function showImages(task, rate) {
  const { settings } = data.pictures[task];
  for (const strip of all(`#pictures-${task} [data-setting]`)) {
    const found = settings[strip.dataset.setting].byRate;
    const shown = found[""] ?? found[String(rate)];
    const image = strip.querySelector("img");
    image.hidden = !shown;
    strip.querySelector(".absent").hidden = Boolean(shown);
    if (shown) Object.assign(image, { src: shown.src, alt: shown.alt });
    const list = strip.querySelector("dl");
    list.replaceChildren();
    for (const [words, value] of shown?.numbers ?? []) {
      const term = document.createElement("dt");
      const number = document.createElement("dd");
      [term.textContent, number.textContent] = [words, value];
      list.append(term, number);
    }
  }
}

for (const [task, { rates }] of Object.entries(data.pictures)) {
  const slider = document.getElementById(`rate-${task}`);
  const show = () => {
    const rate = slider ? rates[slider.value] : undefined;
    if (slider) {
      slider.setAttribute("aria-valuetext", `${rate} bits per image`);
      slider.parentElement.querySelector("output").textContent = `R = ${rate} bits`;
    }
    if (charts[task]) {
      charts[task].at = rate;
      draw(task);
    }
    showImages(task, rate);
  };
  slider?.addEventListener("input", show);
  if (charts[task]) charts[task].at = rates[0];
  showImages(task, rates[0]);
  if (slider) show();
}

// Theory: the curves at a position of the sliders, and their values at one rate.

for (const figure of all("[data-explorer]")) {
  const name = figure.dataset.explorer;
  const { sliders, rates, values, commands } = data.explorers[name];
  const inputs = all("[data-parameter]", figure);
  const read = figure.querySelector("[data-read]");
  const say = (input, text) => {
    input.setAttribute("aria-valuetext", text);
    input.parentElement.querySelector("output").textContent = text;
  };
  const show = () => {
    const position = inputs.reduce((sum, input, i) => sum * sliders[i].length + Number(input.value), 0);
    const at = Number(read.value);
    inputs.forEach((input, i) => say(input, String(sliders[i][input.value])));
    say(read, `R = ${rates[at]}`);
    charts[name].at = rates[at];
    charts[name].data.forEach((trace, i) => {
      trace.y = values[position][i];
      figure.querySelector(`[data-curve="${trace.meta.key}"]`).textContent = format(trace.y[at]);
    });
    figure.querySelector("[data-command]").textContent = `${commands[position]} --rate ${rates[at]}`;
    draw(name);
  };
  for (const input of [...inputs, read]) input.addEventListener("input", show);
  for (const button of all("[data-preset]", figure)) {
    button.addEventListener("click", () => {
      JSON.parse(button.dataset.preset).forEach((value, i) => (inputs[i].value = sliders[i].indexOf(value)));
      show();
    });
  }
  show();
}

// Training: one line for each cell of a group.

const group = document.getElementById("training-group");
const column = document.getElementById("training-column");
function showTraining() {
  const { cells } = data.histories[group.value];
  const names = Object.keys(cells[0].columns).filter((name) => name !== "epoch");
  const chosen = names.includes(column.value) ? column.value : names[0];
  column.replaceChildren(...names.map((name) => new Option(name.replaceAll("_", " "), name, false, name === chosen)));
  charts.training.data = cells.map((cell) => ({
    x: cell.columns.epoch,
    y: cell.columns[chosen],
    mode: "lines+markers",
    line: { dash: cell.dash, width: 1.5 },
    marker: { size: 4 },
    name: cell.label,
    hovertemplate: `<b>${cell.label}</b><br>epoch %{x}: %{y:.5g}<extra></extra>`,
    meta: { colour: cell.colour, key: cell.label, for: "" },
  }));
  charts.training.layout.yaxis.title = { text: chosen.replaceAll("_", " ") };
  const epochs = Math.max(...cells.map((cell) => cell.columns.epoch.length));
  charts.training.layout.xaxis = { ...charts.training.layout.xaxis, dtick: Math.ceil(epochs / 10) };
  draw("training");
}
if (group) {
  group.addEventListener("change", showTraining);
  column.addEventListener("change", showTraining);
  showTraining();
}

// Tables

for (const table of all("table.sortable")) {
  const heads = all("thead th", table);
  heads.forEach((head, place) => {
    head.querySelector("button").addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const body = table.tBodies[0];
      const key = (row) => row.cells[place].dataset.sort ?? row.cells[place].textContent;
      const rows = [...body.rows].sort((a, b) => key(a).localeCompare(key(b), "en"));
      const numeric = [...body.rows].every((row) => row.cells[place].dataset.sort || !row.cells[place].textContent);
      // Empty cells stay at the end in both directions.
      const full = rows.filter((row) => row.cells[place].textContent);
      if (numeric) full.sort((a, b) => key(a) - key(b));
      if (down) full.reverse();
      body.append(...full, ...rows.filter((row) => !row.cells[place].textContent));
    });
  });
}

// Colours follow the reader's system; paper is always light.

const repaint = () => Object.keys(charts).forEach((name) => charts[name].data.length && draw(name));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
function print(on) {
  if (on) root.dataset.print = "";
  else delete root.dataset.print;
  for (const { element } of Object.values(charts)) element.style.width = on ? "680px" : "";
  repaint();
}
addEventListener("beforeprint", () => print(true));
addEventListener("afterprint", () => print(false));
repaint();
root.dataset.ready = "";
