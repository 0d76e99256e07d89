// Runs when the figures are there. Reads one pixel, chosen with the pointer, the number fields or
// the arrow keys, into the table of the page, zooms with buttons, and follows the colour scheme.
// Arguments: source, frames, cursor, plots, x_range, y_range, description.
const about = description instanceof Map ? Object.fromEntries(description) : description;
const at = (id) => document.getElementById(id);
const fields = [at("pixel-column"), at("pixel-row")];
const sizes = [about.columns, about.rows];
const pixel = [Number(fields[0].value), fields[1] ? Number(fields[1].value) : 0];
let held = false;

const flat = (name) => {
  const column = source.data[name];
  return column === undefined ? undefined : about.maps ? column[0] : column;
};
const number = (name, scale, place) => {
  const column = flat(name);
  if (column === undefined) return undefined;
  const stored = column[place];
  if (scale.length === 0) return stored;
  return stored === 0 ? NaN : scale[0] + scale[1] * (stored - 1);
};
const inWords = (k, place) => {
  const value = number(`value_${k}`, about.scales[k][0], place);
  if (!Number.isFinite(value)) return ["none", ""];
  const width = number(`width_${k}`, about.scales[k][1], place);
  const shown = (one) => one.toFixed(about.decimals[k]);
  if (!Number.isFinite(width)) return [shown(value), ""];
  return [shown(value), `${shown(value - width)} to ${shown(value + width)}`];
};
const show = () => {
  const place = pixel[1] * about.columns + pixel[0];
  const coordinates = [about.x, about.y].map(([first, step], n) => first + step * pixel[n]);
  cursor.data = {x: [coordinates[0]], y: [coordinates[1]]};
  const words = about.positions.map(
    (positions, n) => `${about.names[n]} = ${positions[pixel[n]]} ${about.units[n]}`.trim(),
  );
  at("pixel-place").textContent = words.join(", ");
  about.decimals.forEach((_, k) => {
    const [value, interval] = inWords(k, place);
    at(`pixel-value-${k}`).textContent = value;
    if (at(`pixel-interval-${k}`)) at(`pixel-interval-${k}`).textContent = interval;
  });
  if (at("pixel-quality")) {
    const code = flat("code")[place];
    at("pixel-quality").textContent = about.words[about.codes.indexOf(code)] ?? String(code);
  }
};
const select = (column, row) => {
  [column, row].forEach((one, n) => {
    pixel[n] = Math.min(Math.max(Math.round(one) || 0, 0), sizes[n] - 1);
    if (fields[n]) fields[n].value = String(pixel[n]);
  });
  show();
};

document.addEventListener("coreloss-pixel", ({detail}) => {
  const [column, row] = [about.x, about.y].map(
    ([first, step], n) => ((n === 0 ? detail.x : about.maps ? detail.y : first) - first) / step,
  );
  const inside = column > -0.5 && column < sizes[0] - 0.5 && row > -0.5 && row < sizes[1] - 0.5;
  if (!inside) return;
  if (detail.held) held = !held;
  at("pixel-held").textContent = held ? "held: click again to release" : "";
  if (!held || detail.held) select(column, row);
});
fields.forEach((field) =>
  field?.addEventListener("input", () => select(fields[0].value, fields[1]?.value ?? 0)),
);
at("figures").addEventListener("keydown", (event) => {
  const step = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[
    event.key
  ];
  if (!step || event.target !== at("figures")) return;
  event.preventDefault();
  select(pixel[0] + step[0], pixel[1] + step[1]);
});

const whole = [x_range, y_range].map((range) => range && [range.start, range.end]);
const zoom = (factor) =>
  [x_range, y_range].forEach((range, n) => {
    if (!range) return;
    const middle = [cursor.data.x[0], cursor.data.y[0]][n];
    const half = ((range.end - range.start) * factor) / 2;
    const [low, high] = [Math.min(...whole[n]), Math.max(...whole[n])];
    if (Math.abs(2 * half) >= high - low) [range.start, range.end] = whole[n];
    else {
      const kept = Math.min(Math.max(middle, low + Math.abs(half)), high - Math.abs(half));
      range.setv({start: kept - half, end: kept + half});
    }
  });
at("zoom-in").addEventListener("click", () => zoom(0.5));
at("zoom-out").addEventListener("click", () => zoom(2));
at("zoom-reset").addEventListener("click", () => zoom(Infinity));

at("pixel-frame")?.addEventListener("input", (event) => {
  const frame = Number(event.target.value);
  source.data = Object.fromEntries(
    Object.entries(frames.data).map(([name, all]) => [name, [all[frame]]]),
  );
  event.target.setAttribute("aria-valuetext", about.places[frame]);
  at("frame-place").textContent = about.places[frame];
  show();
});

// The colours of texts are those of the page, in light and dark.
const paint = () => {
  const [ink, soft] = ["--ink", "--soft"].map((name) =>
    getComputedStyle(document.documentElement).getPropertyValue(name),
  );
  for (const plot of plots) {
    plot.title.text_color = ink;
    for (const part of [...plot.below, ...plot.left, ...plot.right]) {
      if ("major_label_text_color" in part) part.major_label_text_color = soft;
      if ("axis_label_text_color" in part) part.axis_label_text_color = soft;
    }
  }
};
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
paint();
show();
document.documentElement.dataset.ready = "yes";
