// The page's CSS. One column of figures on a narrow screen, two from about 1050 px; figures stay whole on paper.
#pragma once

#include <string_view>

namespace orrery::report {

inline constexpr std::string_view kStylesheet = R"css(
:root { color-scheme: light; --ink: #22262b; --quiet: #5c646d; --rule: #c9ced4; --faint: #e8ebee; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1240px; padding: 34px 32px 60px; background: #fff; color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", sans-serif; overflow-wrap: break-word; }
h1, h2 { font-family: Charter, "Bitstream Charter", "Iowan Old Style", "Source Serif 4", Georgia, serif; font-weight: 600; line-height: 1.2; }
h1 { font-size: 30px; margin: 0 0 4px; }
h2 { font-size: 21px; margin: 44px 0 14px; padding-top: 14px; border-top: 1px solid var(--rule); }
h3 { font-size: 15px; font-weight: 600; line-height: 1.35; margin: 0 0 4px; }
.sub { color: var(--quiet); margin: 0 0 18px; }
.detail { font-weight: 400; color: var(--quiet); font-size: 13px; }
.quiet { color: var(--quiet); }
dl.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 12px 24px; margin: 0; }
dl.facts div.long { grid-column: span 2; }
dl.facts dt { font-size: 12px; color: var(--quiet); }
dl.facts dd { margin: 0; font-variant-numeric: tabular-nums; }
.notices { list-style: none; margin: 22px 0 0; padding: 10px 16px; border-left: 3px solid #d55e00; background: #fdf4ee; }
.notices li + li { margin-top: 6px; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 470px), 1fr)); gap: 34px 28px; align-items: start; }
.networks { grid-template-columns: repeat(auto-fill, minmax(min(100%, 340px), 1fr)); }
figure { margin: 0; min-width: 0; break-inside: avoid; }
figure > svg { display: block; width: 100%; height: auto; }
figure.network > svg { max-width: 460px; margin: 0 auto; }
@media (min-width: 840px) {
  figure.alone { display: grid; grid-template-columns: 460px 1fr; column-gap: 40px; align-items: center; grid-column: 1 / -1; }
  figure.alone > figcaption { max-width: 520px; margin: 0; }
}
figure.empty p { color: var(--quiet); margin: 0; }
figcaption, .caption { font-size: 13px; color: var(--quiet); margin: 4px 0 0; }
figcaption b { color: var(--ink); font-weight: 600; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 18px; font-size: 13px; margin: 0 0 6px; }
.arm { display: inline-flex; align-items: baseline; gap: 7px; text-align: left; }
.short { white-space: nowrap; }
thead .short { white-space: normal; }
.swatch { width: 30px; height: 8px; flex: none; position: relative; top: -1px; }
figure.network > figcaption { max-width: 460px; margin: 0 auto; }
figure.network .legend { color: var(--ink); }
ul.key { list-style: none; margin: 8px 0 0; padding: 0; }
ul.key li { display: flex; gap: 7px; }
.mark { width: 16px; height: 16px; flex: none; margin-top: 2px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; border-top: 1.5px solid var(--ink); border-bottom: 1.5px solid var(--ink); }
th, td { padding: 5px 18px 5px 0; text-align: right; vertical-align: baseline; }
td { white-space: nowrap; }
th { font-weight: 500; text-align: left; }
th.number { text-align: right; }
th:last-child, td:last-child { padding-right: 4px; }
thead th { border-bottom: 1px solid var(--ink); font-size: 13px; vertical-align: bottom; }
tbody tr + tr { border-top: 1px solid var(--faint); }
tbody + tbody { border-top: 1px solid var(--rule); }
tbody th { max-width: 300px; }
td b { font-weight: 700; }
td.name { text-align: left; }
sup { line-height: 0; font-size: 75%; }
table.bits { width: 100%; max-width: 900px; }
table.expect td { text-align: left; white-space: normal; vertical-align: top; }
table.expect .verdict { font-weight: 600; }
tr.yes .verdict { color: #00785a; }
tr.no .verdict { color: #b34700; }
tr.no { background: #fdf4ee; }
table.periods { font-size: 13px; margin-top: 10px; color: var(--ink); }
table.bits .bar { width: 26%; padding-left: 6px; }
td.bar div { height: 9px; min-width: 1px; border-radius: 2px; opacity: 0.75; }
details { margin-top: 40px; border-top: 1px solid var(--rule); padding-top: 14px; }
summary { cursor: pointer; font-weight: 600; }
pre { font: 13px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; background: #f6f7f8; padding: 14px 16px; overflow-x: auto; }
footer { margin-top: 40px; font-size: 12px; color: var(--quiet); }
@media (max-width: 700px) { body { padding: 22px 18px 40px; } h1 { font-size: 25px; } th, td { padding-right: 12px; } .bits .bar { display: none; } }
@media print { body { max-width: none; padding: 0; font-size: 12px; } .grid { grid-template-columns: 1fr 1fr; } }
)css";

}  // namespace orrery::report
