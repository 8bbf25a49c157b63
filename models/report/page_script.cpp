#include "models/report/page.h"

namespace limoe {

// Without it the page says the same, except for single numbers of a chart.
const char* page_script() {
  return R"js(
"use strict";
for (const figure of document.querySelectorAll("figure.chart")) {
  const svg = figure.querySelector("svg"), cross = svg.querySelector(".cross");
  let data = null, box = null;
  const hide = () => { cross.setAttribute("d", ""); if (box) box.remove(); box = null; };
  const shown = y => y === null ? "–" : Number(y.toPrecision(4)).toLocaleString("en") +
    (data.unit === "%" ? " %" : "");
  svg.addEventListener("pointerleave", hide);
  svg.addEventListener("pointermove", event => {
    data = data || JSON.parse(figure.querySelector("script").textContent);
    const area = svg.getBoundingClientRect(), scale = svg.viewBox.baseVal.width / area.width;
    const share = ((event.clientX - area.left) * scale - data.left) / (data.right - data.left);
    if (share < -0.02 || share > 1.02 || data.x.length === 0) return hide();
    const step = data.low + share * (data.high - data.low);
    let near = 0;
    data.x.forEach((x, i) => { if (Math.abs(x - step) < Math.abs(data.x[near] - step)) near = i; });
    const at = data.left + (data.x[near] - data.low) / (data.high - data.low) * (data.right - data.left);
    cross.setAttribute("d", `M${at} ${data.top}V${data.bottom}`);
    if (!box) { box = document.createElement("div"); box.className = "pointed"; figure.append(box); }
    box.replaceChildren();
    const head = document.createElement("b");
    head.textContent = "step " + Math.round(data.x[near]).toLocaleString("en");
    box.append(head);
    for (const series of [...data.series].reverse()) {
      const row = document.createElement("div"), value = document.createElement("span");
      row.className = "key " + series.color;
      row.append(document.createTextNode(series.name));
      value.textContent = shown(series.y[near]);
      row.append(value);
      box.append(row);
    }
    const left = at / scale, whole = figure.clientWidth;
    box.style.left = left > whole / 2 ? "" : left + 14 + "px";
    box.style.right = left > whole / 2 ? whole - left + 14 + "px" : "";
    box.style.top = area.top - figure.getBoundingClientRect().top + 14 + "px";
  });
}
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach(one => { one.open = true; }));
)js";
}

}  // namespace limoe
