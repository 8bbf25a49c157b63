#include "models/report/page.h"

namespace limoe {

const char* page_style() {
  return R"css(
:root{color-scheme:light dark;--page:#fff;--ink:#1d2126;--soft:#5d6670;--line:#dfe3e7;--card:#f6f7f9;--good:#00795a;
  --note:#fff7e0;--note-line:#e5c76b}
@media screen and (prefers-color-scheme:dark){:root{--page:#14171b;--ink:#e4e7ea;--soft:#9aa4ae;--line:#2d333a;
  --card:#1c2026;--good:#35c79c;--note:#2a2517;--note-line:#6f5f2c}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,
  "Noto Sans","DejaVu Sans",sans-serif;font-variant-numeric:tabular-nums}
main{max-width:1160px;margin:0 auto;padding:36px 24px 60px}
h1{font-size:34px;line-height:1.15;margin:0 0 18px;letter-spacing:-.01em;overflow-wrap:anywhere}
h2{font-size:22px;margin:0 0 4px;letter-spacing:-.005em}
h3{font-size:15px;margin:24px 0 8px}
h4{font-size:14px;margin:0 0 8px;display:flex;align-items:center;gap:8px}
small,.note,.unit,.lead,.kind{color:var(--soft)}
small{font-weight:400;font-size:13px}
.kind{margin:0;font-size:13px;letter-spacing:.06em;text-transform:uppercase}
.lead{margin:0 0 16px;max-width:78ch}.note{font-size:13px;margin:0 0 8px}
section{margin-top:44px;padding-top:26px;border-top:1px solid var(--line)}
.missing{background:var(--card);border-left:3px solid var(--soft);padding:10px 14px;margin:8px 0;color:var(--soft);
  overflow-wrap:anywhere}
.notes{background:var(--note);border:1px solid var(--note-line);border-radius:6px;padding:10px 16px;margin:0 0 20px}
.notes h3{margin:0 0 4px}.notes ul{margin:0;padding-left:20px}.notes li{overflow-wrap:anywhere}
.tiles{display:flex;flex-wrap:wrap;gap:10px;margin-bottom:22px}
.tile{flex:1 1 140px;background:var(--card);border-radius:8px;padding:12px 16px}
.tile b{display:block;font-size:24px;line-height:1.2;font-weight:600;white-space:nowrap}
.tile span{color:var(--soft);font-size:13px}
.fact-row{display:grid;grid-template-columns:repeat(auto-fit,minmax(300px,1fr));gap:8px 36px}
.facts h3{margin:0 0 6px;padding-bottom:4px;border-bottom:1px solid var(--line)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 14px;margin:0;font-size:14px}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:14px;margin:0 0 6px}
th,td{padding:5px 14px 5px 0;text-align:right;border-bottom:1px solid var(--line);font-weight:400;white-space:nowrap}
th:first-child{text-align:left}
thead th{color:var(--soft);font-size:13px;vertical-align:bottom}
.charts+.charts{margin-top:20px}
.charts{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:20px 32px}
.charts.small{grid-template-columns:repeat(3,minmax(0,1fr));gap:18px 26px}
figure{margin:0}
.chart{position:relative;break-inside:avoid}
.chart figcaption{font-size:14px;line-height:1.35;min-height:20px;padding-left:2px}
.chart svg{display:block;width:100%;height:auto;overflow:visible;margin-top:4px}
.legend{float:right;display:flex;gap:12px;font-size:13px;color:var(--soft)}
.key::before{content:"";display:inline-block;width:11px;height:11px;border-radius:2px;background:var(--c);margin-right:6px;
  vertical-align:-1px;print-color-adjust:exact;-webkit-print-color-adjust:exact}
.chart text{font-size:12px;fill:var(--soft)}.chart.small text{font-size:11.5px}
.tick.y text{text-anchor:end}.tick.x text{text-anchor:middle}.chart text.name{text-anchor:end}
.grid path{stroke:var(--line);stroke-width:1}.axis{stroke:var(--soft);stroke-width:1}
.line{fill:none;stroke:var(--c);stroke-width:1.7;stroke-linejoin:round;stroke-linecap:round}
.band{fill:var(--c);opacity:.2}
path.reference{stroke:var(--ink);stroke-width:1.2;stroke-dasharray:5 4;opacity:.75}
.chart text.reference{fill:var(--ink);text-anchor:end;stroke:var(--page);stroke-width:3px;paint-order:stroke}
.share{fill:var(--c);stroke:var(--page);stroke-width:.5}
.chart text.band-name{fill:var(--ink)}
.cross{stroke:var(--ink);stroke-width:1;opacity:.5}
.pointed{position:absolute;pointer-events:none;background:var(--page);border:1px solid var(--line);border-radius:6px;
  box-shadow:0 2px 10px #0003;padding:6px 10px;font-size:12.5px;line-height:1.45;white-space:nowrap;z-index:2}
.pointed b{font-weight:600}.pointed .key{display:flex;align-items:center;gap:0}.pointed .key span{margin-left:auto;padding-left:14px}
.experts{display:flex;flex-wrap:wrap;gap:4px;align-items:center;margin:0 0 14px;font-size:13px;color:var(--soft)}
.experts span:first-child{margin-right:6px}
.swatch{display:inline-block;min-width:24px;padding:1px 6px;border-radius:4px;text-align:center;font-size:13px;font-weight:600;
  background:var(--c);color:var(--on);print-color-adjust:exact;-webkit-print-color-adjust:exact}
.picture{display:block;background:#fff;image-rendering:pixelated;border-radius:3px}
.picture image,.store image{image-rendering:pixelated}
.store{position:absolute}
.queries{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:14px 32px}
.query{break-inside:avoid}.query p{margin:0 0 6px;font-size:14px;line-height:1.35}
.verdict{color:var(--soft);font-size:13px;white-space:nowrap}.verdict.good{color:var(--good)}
.strip{display:flex;gap:7px;align-items:flex-start}
.found{flex:0 1 74px;min-width:0}.found .picture{width:100%;aspect-ratio:1;outline:1px solid var(--line)}
.found figcaption{font-size:12px;text-align:center;color:var(--soft);margin-top:3px}
.found.right .picture{outline:3px solid var(--good)}.found.right figcaption{color:var(--good);font-weight:600}
.gap{align-self:center;color:var(--soft);padding:0 2px 20px}
.examples{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:18px}
.example{background:var(--card);border-radius:8px;padding:14px;display:flex;gap:16px;break-inside:avoid}
.plain{flex:0 0 104px}.plain .picture{width:104px;height:104px}.plain p{margin:6px 0 0;font-size:13px;line-height:1.3}
.layers{flex:1;display:grid;gap:10px;align-content:start}
.layer{display:grid;grid-template-columns:118px 1fr;gap:2px 14px}
.block{grid-column:1/-1;font-size:12px;color:var(--soft)}
.tinted{width:118px;height:118px}
.patch rect{fill:var(--c);stroke:#fff;stroke-width:.5;stroke-opacity:.5}
.patch text{text-anchor:middle;fill:#000;stroke:#fff;stroke-width:1.5px;paint-order:stroke;stroke-opacity:.75;
  font-weight:600}
.patch.dropped rect{fill:none}
.words{margin:0;font-size:14px;line-height:2}
.word{white-space:nowrap}
.piece{padding:2px 4px;border-radius:3px;border-bottom:3px solid var(--c);
  background:color-mix(in srgb,var(--c) calc(12% + 26%*var(--gate)),transparent);
  print-color-adjust:exact;-webkit-print-color-adjust:exact}
.piece sub{font-size:10px;margin-left:2px;color:var(--soft);vertical-align:-2px;line-height:1}
.piece.dropped{text-decoration:line-through}
details{margin-top:14px}summary{cursor:pointer;font-weight:600;padding:4px 0}
.favourites{display:grid;grid-template-columns:repeat(4,minmax(0,1fr));gap:14px;margin-top:10px}
.favourite{background:var(--card);border-radius:8px;padding:12px;break-inside:avoid}
.patches{display:grid;grid-template-columns:repeat(4,1fr);gap:5px}.patches .picture{width:100%;aspect-ratio:1}
.patches .note{grid-column:1/-1;margin:0}
.pale{fill:#fff;fill-opacity:.6;fill-rule:evenodd}.frame{fill:none;stroke:var(--c);stroke-width:2.5}
.favourite-words{margin:10px 0 0;font-size:13px;line-height:1.95}
.favourite-words .piece{padding:1px 4px;border-bottom-width:2px}
.memory{display:block;width:100%;height:auto;margin:4px 0 14px}
.part{fill:var(--c)}.memory text{font-size:13px;fill:var(--ink)}path.peak{stroke:var(--ink);stroke-width:2}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--card);border-radius:8px;padding:14px;overflow-x:auto;font:13px/1.45 ui-monospace,"DejaVu Sans Mono",
  monospace}
@media screen and (max-width:900px){.charts,.queries,.examples{grid-template-columns:minmax(0,1fr)}
  .charts.small,.favourites{grid-template-columns:repeat(2,minmax(0,1fr))}}
@media print{body{font-size:12px}main{max-width:none;padding:0}.picture,.share,.part,.patch rect{print-color-adjust:exact;
  -webkit-print-color-adjust:exact}.pointed{display:none}section{margin-top:24px}h2,h3,h4,summary,.lead{break-after:avoid}tr{break-inside:avoid}}
)css";
}

}  // namespace limoe
