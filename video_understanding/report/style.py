"""How the page looks: system fonts, light and dark as the reader's system is, and readable on a phone.

Blue and orange are told apart by every kind of eye. Colours have names here and nowhere else; a test holds their
contrast.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

LIGHT = {
    "paper": "#ffffff",
    "card": "#f5f6f8",
    "ink": "#1b1f24",
    "quiet": "#59616b",
    "line": "#d5dae0",
    "blue": "#0072b2",
    "orange": "#b35900",
    "third": "#006b52",
    "fourth": "#8f3a77",
    "cell": "#00508c",
    "edge": "#8d97a3",
}
DARK = {
    "paper": "#14171b",
    "card": "#1d2126",
    "ink": "#e8eaed",
    "quiet": "#a3abb5",
    "line": "#3a414a",
    "blue": "#56b4e9",
    "orange": "#f0a030",
    "third": "#3ecfa8",
    "fourth": "#d68fc0",
    "cell": "#56b4e9",
    "edge": "#000000",
}


def parts_of(colour: str) -> tuple[int, int, int]:
    """(red, green, blue) from 0 to 255 of "#0072b2"."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def brightness(colour: Sequence[float]) -> float:
    """Relative luminance, 0 to 1, of red, green and blue from 0 to 255, as WCAG defines it."""
    linear = [part / 255 / 12.92 if part <= 10 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def needs_white(share: float, theme: Mapping[str, str]) -> bool:
    """Whether white is better read than black on a cell: its colour laid over the paper, as far as the share."""
    over = zip(parts_of(theme["cell"]), parts_of(theme["paper"]), strict=True)
    light = brightness([share * cell + (1 - share) * paper for cell, paper in over])
    return 1.05 / (light + 0.05) > (light + 0.05) / 0.05


def _named(colours: dict[str, str]) -> str:
    told = "".join(f"--{name}:{value};" for name, value in colours.items() if name != "cell")
    return f"{told}--cell:{' '.join(map(str, parts_of(colours['cell'])))};"


CSS = (
    f":root{{color-scheme:light dark;{_named(LIGHT)}}}\n"
    f"@media (prefers-color-scheme:dark){{:root{{{_named(DARK)}}}}}\n"
    """
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);line-height:1.55;font-size:16px;
 font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
 -webkit-text-size-adjust:100%;overflow-wrap:anywhere}
main,header,footer{max-width:60rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:2.5rem}
h1{font-size:1.75rem;line-height:1.2;margin:0 0 .4rem;font-weight:650;letter-spacing:-.01em}
h2{font-size:1.35rem;margin:3rem 0 .8rem;padding-top:1.2rem;border-top:1px solid var(--line);font-weight:650}
h3{font-size:1.05rem;margin:2.2rem 0 .2rem;font-weight:650}
p{margin:.5rem 0;max-width:44rem}
.quiet,figcaption,footer{color:var(--quiet);font-size:.9rem}
.summary{background:var(--card);border-radius:.75rem;padding:1rem 1.25rem;margin:1.5rem 0}
.summary p{max-width:none}
.notes{border-left:.25rem solid var(--orange);padding:.1rem 0 .1rem 1rem;margin:1.2rem 0;list-style:none}
figure{margin:.6rem 0 0}
figcaption{margin-top:.3rem}
svg{display:block;width:100%;height:auto;overflow:visible}
svg text{fill:var(--quiet);font-size:12px}
svg .name{fill:var(--ink);font-weight:600;font-size:13px}
svg .grid{stroke:var(--line);stroke-width:1}
svg .even{stroke:var(--quiet);stroke-width:1;stroke-dasharray:2 4}
svg .one{stroke:var(--blue);fill:var(--blue)}
svg .other{stroke:var(--orange);fill:var(--orange)}
svg .third{stroke:var(--third);fill:var(--third)}
svg .fourth{stroke:var(--fourth);fill:var(--fourth)}
svg polyline{fill:none!important;stroke-width:2;stroke-linejoin:round}
svg .other polyline,svg polyline.other{stroke-dasharray:6 3}
svg .band{fill:var(--blue);opacity:.28;stroke:none}
svg .track{fill:var(--line)}
svg .mean{stroke:var(--ink);stroke-width:2.5}
svg .mark{stroke:var(--orange);stroke-width:2.5}
.panels strong{font-size:1.5rem;letter-spacing:-.01em;margin-right:.2rem}
.panels+p{margin-top:1.2rem}
.panels{display:grid;grid-template-columns:repeat(auto-fit,minmax(17rem,1fr));gap:1.5rem}
.panels>*{min-width:0;max-width:26rem}
.narrow{max-width:24rem}
.wide{overflow-x:auto;max-width:100%;margin:.6rem 0;
 background:linear-gradient(to right,var(--paper) 40%,transparent) 0 0/3rem 100% local no-repeat,
 linear-gradient(to left,var(--paper) 40%,transparent) 100% 0/3rem 100% local no-repeat,
 linear-gradient(to right,var(--edge),transparent) 0 0/1rem 100% scroll no-repeat,
 linear-gradient(to left,var(--edge),transparent) 100% 0/1rem 100% scroll no-repeat}
.wide:focus-visible{outline:2px solid var(--blue);outline-offset:2px}
table{border-collapse:collapse;font-size:.92rem;font-variant-numeric:tabular-nums}
th,td{padding:.28rem .6rem;text-align:right;border-bottom:1px solid var(--line);vertical-align:middle;
 overflow-wrap:normal}
td{white-space:nowrap}
th{font-weight:600}
thead th{color:var(--quiet);font-size:.85rem;vertical-align:bottom}
tbody th,thead th:first-child,.words td{text-align:left}
tbody th,.words td{overflow-wrap:anywhere;white-space:normal}
tbody th{font-weight:500;min-width:6rem;max-width:16rem}
.words td,.words tbody th{min-width:8rem}
.words thead th{text-align:left}
.bars{width:100%}
.bar{min-width:9rem;width:40%}
.bar div{display:flex;align-items:center;gap:.5rem;justify-content:flex-end}
.bar i{flex:1;height:.7rem;border-radius:.2rem;background:var(--line);overflow:hidden}
.bar b{display:block;height:100%;background:var(--blue)}
.bar span{min-width:3.2rem}
.confusion{font-size:.85rem}
.confusion th,.confusion td{border:0;padding:.2rem .35rem}
.confusion thead th{vertical-align:bottom;text-align:left}
.confusion thead th span{writing-mode:vertical-rl;transform:rotate(180deg);max-height:9rem;overflow:hidden;
 text-overflow:ellipsis;white-space:nowrap;display:inline-block}
.confusion tbody th{position:sticky;left:0;background:var(--paper);max-width:9rem;white-space:nowrap;overflow:hidden;
 text-overflow:ellipsis}
.confusion td{min-width:2.1rem;height:2.1rem;text-align:center;border:1px solid var(--paper);
 background:rgb(var(--cell)/var(--s,0.03));color:#000}
.confusion td.light{color:#fff}
@media (prefers-color-scheme:dark){.confusion td,.confusion td.light{color:#fff}.confusion td.dark{color:#000}}
.confusion.roomy td{min-width:3.2rem;height:3.2rem}
.confusion .right{outline:1.5px solid var(--quiet);outline-offset:-2px}
.gallery{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,17rem),1fr));gap:1rem;padding:0;
 list-style:none;margin:.8rem 0}
.gallery figure{margin:0;background:var(--card);border-radius:.6rem;overflow:hidden;height:100%}
.gallery img{display:block;width:100%;height:auto}
.gallery .none{aspect-ratio:3;display:grid;place-items:center;background:var(--line);color:var(--ink);padding:0 .8rem}
.gallery figcaption{padding:.5rem .8rem .7rem;margin:0}
.gallery strong{color:var(--ink)}
a{color:var(--blue)}
details{margin:.8rem 0}
summary{cursor:pointer;color:var(--blue)}
dl{display:grid;grid-template-columns:minmax(0,max-content) max-content;gap:.1rem 1.2rem;margin:.8rem 0;
 font-size:.92rem}
dt{color:var(--quiet)}
dd{margin:0}
footer{padding-top:2rem;padding-bottom:3rem;margin-top:3rem}
@media (max-width:34rem){main,header,footer{padding-left:1rem;padding-right:1rem}h1{font-size:1.45rem}
 header{padding-top:1.5rem}th,td{padding:.28rem .35rem}
 .bars,.bars tbody,.words,.words tbody,.words tbody th{display:block;width:100%}
 .bars thead,.words thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
 .bars tbody tr,.words tbody tr{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:.1rem 1.4rem;
 padding:.45rem 0;border-bottom:1px solid var(--line)}
 .bars tbody th,.bars td,.words tbody th,.words td{border:0;padding:0;min-width:0;max-width:none}
 .bars tbody th,.words tbody th{grid-column:1/-1;font-weight:600}
 .bars td,.words td{display:flex;gap:.8rem;justify-content:space-between;width:auto;white-space:normal;
 text-align:right;overflow-wrap:anywhere}
 .bars td::before,.words td::before{content:attr(data-name);color:var(--quiet);text-align:left}
 .bars td.bar,.whole td,.words td{grid-column:1/-1;min-width:0}.bar div{flex:1;max-width:60%}
 .confusion tbody th{max-width:6.5rem}svg text{font-size:13px}}
@media print{body{font-size:11px}.wide{overflow:visible}h2,h3{break-after:avoid}figure,tr{break-inside:avoid}}
"""
)

# The tint of a class comes with its box, from `recognition.colours`.
TIMELINE_CSS = """
.hint{display:none}
.hint.always{display:block}
@media (max-width:44rem){.hint{display:block}}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1.4rem;margin:.6rem 0;padding:0;list-style:none}
.legend i{display:inline-block;width:1.6rem;margin-right:.45rem;vertical-align:middle;border-top:2px solid var(--ink)}
.legend .one{border-top:2px dotted var(--blue)}
.legend .other{border-top:2px dashed var(--orange)}
.legend .third{border-top:2px dashed var(--third)}
.legend .fourth{border-top:2px dashed var(--fourth)}
.legend .area{border:0;height:.8rem;background:var(--blue)}
.legend .area.other{background:var(--orange)}
.legend .area.third{background:var(--third)}
.legend .area.fourth{background:var(--fourth)}
.legend .area.track{background:var(--line)}
.scroll{position:relative}
.scroll::after{content:"";position:absolute;inset:0 0 0 auto;width:1.6rem;pointer-events:none;display:none;
 background:linear-gradient(to left,var(--edge),transparent);opacity:.55}
.hint.always+.scroll::after{display:block}
@media (max-width:44rem){.scroll::after{display:block}}
.lanes{position:relative;padding-bottom:.3rem;
 background:repeating-linear-gradient(to right,var(--line) 0 1px,transparent 1px var(--step))}
.lanes h3{position:sticky;left:0;width:max-content;max-width:18rem;margin:0;padding:.55rem .5rem .15rem 0;
 background:var(--paper);font-size:.92rem}
.lanes .none{margin:0;padding:.5rem .8rem;background:var(--card);color:var(--quiet);max-width:none;font-size:.9rem}
.film{display:flex;gap:1px;background:#000;overflow:hidden}
.film>*{flex:1 1 0;min-width:0;aspect-ratio:4/3;object-fit:cover;display:block}
svg.sound{height:3.2rem;fill:var(--quiet);background:var(--card)}
.boxes{position:relative;height:1.9rem;background:var(--card)}
.boxes span{position:absolute;top:0;bottom:0;border-right:1px solid var(--paper);overflow:hidden;text-align:center;
 text-overflow:ellipsis;white-space:nowrap;font-size:.85rem;line-height:1.9rem;
 background:color-mix(in srgb,var(--tint) 38%,var(--paper))}
.boxes .unsaid{font-style:italic}
.chart{position:relative;padding:1.05rem 0 .35rem}
svg.lines{height:5.5rem;position:relative}
svg.lines *,svg.carried *{vector-effect:non-scaling-stroke}
svg.lines .both{stroke:var(--ink)}
svg.lines polyline.one{stroke-dasharray:2 3}
svg.lines polyline.other{stroke-width:1.6}
.scale{position:sticky;left:0;width:0;height:0;z-index:1;font-size:.75rem;line-height:1;color:var(--quiet)}
.scale span{position:absolute;top:-.85rem;left:0;padding-right:.25rem;white-space:nowrap;background:var(--paper)}
.scale span+span{top:2.4rem}
svg.carried{height:1.5rem}
svg.carried *{stroke:none}
.axis{position:relative;height:1.5rem;margin-top:.7rem;border-top:1px solid var(--line);font-size:.8rem;
 color:var(--quiet);font-variant-numeric:tabular-nums}
.axis span{position:absolute;top:.1rem;padding-left:.3rem}
.spans tbody th{white-space:nowrap;font-variant-numeric:tabular-nums}
.spans td:nth-child(2){text-align:left;white-space:normal;min-width:7rem}
.spans th:nth-child(2){text-align:left}
.bar i.parts{display:flex;background:var(--orange)}
.bar i.third,.bar b.third{background:var(--third)}
.bar i.fourth{background:var(--fourth)}
.bar b.other{background:var(--orange)}
.spans .bar span{min-width:4.2rem}
"""
