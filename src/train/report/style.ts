// How a report looks. In: nothing. Out: its style sheet.
// Holds: light and dark follow the reader's setting; the scale of all charts is switched by two buttons and no script; colours of curves
// are told apart on both grounds, also by most who confuse red and green.

const light = ['#0072b2', '#d55e00', '#00885f', '#b0529a', '#8a6d00', '#2a93d1', '#7a4a2b', '#5b5fc7'];
const dark = ['#56b4e9', '#ff9348', '#2fd0a0', '#e08fca', '#e3c544', '#9ad0f5', '#c99a77', '#a6a9ff'];

const palette = (colors: readonly string[]): string => colors.map((color, at) => `--c${at}: ${color};`).join(' ');

export const style = `
:root { color-scheme: light dark; --ground: #fff; --text: #1d1d24; --soft: #62626e; --line: #d8d8e0; --panel: #f6f6f9; ${palette(light)} }
@media (prefers-color-scheme: dark) {
  :root { --ground: #16161b; --text: #e6e6ec; --soft: #a2a2b0; --line: #3a3a46; --panel: #1f1f27; ${palette(dark)} }
}
* { box-sizing: border-box }
body { margin: 0 auto; padding: 1.5rem; max-width: 92rem; font: 15px/1.45 system-ui, Helvetica, Arial, sans-serif; color: var(--text); background: var(--ground) }
h1 { font-size: 1.5rem; margin: 0; overflow-wrap: anywhere }
h2 { font-size: 1.15rem; margin: 2rem 0 0.5rem; overflow-wrap: anywhere }
h3 { font-size: 1rem; margin: 1.25rem 0 0.4rem }
p { margin: 0.4rem 0; overflow-wrap: anywhere }
.soft, figcaption { color: var(--soft); font-size: 0.87rem }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); gap: 1.25rem; margin-top: 0.75rem }
figure { margin: 0; padding: 0.75rem; border: 1px solid var(--line); border-radius: 6px; min-width: 0 }
figure h3 { margin: 0; overflow-wrap: anywhere }
figure svg { display: block; width: 100%; height: auto; color: var(--soft) }
.legend { display: flex; flex-wrap: wrap; gap: 0.15rem 1rem; margin: 0.25rem 0; padding: 0; list-style: none; font-size: 0.87rem }
.legend li, td .legend { display: flex; align-items: center; gap: 0.4rem }
.legend li { min-width: 0; overflow-wrap: anywhere }
.legend svg { flex: none; width: 28px; height: 10px; stroke-width: 2.5 }
.any { stroke: currentColor }
${[...light.keys()].map((at) => `.c${at} { stroke: var(--c${at}) }`).join(' ')}
.switch { position: absolute; opacity: 0 }
.switches { display: flex; gap: 0.25rem; margin-top: 1rem; font-size: 0.9rem; align-items: center }
.switches label { padding: 0.15rem 0.7rem; border: 1px solid var(--line); border-radius: 4px; cursor: pointer }
#linear:checked ~ .switches label[for=linear], #log:checked ~ .switches label[for=log] { background: var(--text); color: var(--ground) }
#linear:focus-visible ~ .switches label[for=linear], #log:focus-visible ~ .switches label[for=log] { outline: 2px solid var(--c0); outline-offset: 2px }
#linear:checked ~ .charts .log, #log:checked ~ .charts .linear.also { display: none }
.wide { overflow-x: auto }
table { border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums }
th, td { text-align: left; padding: 0.25rem 1rem 0.25rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
th { color: var(--soft); font-weight: normal; white-space: nowrap }
td { overflow-wrap: break-word }
td .legend { flex-wrap: nowrap; margin: 0; min-width: 14rem; font-size: inherit }
pre { overflow: auto; background: var(--panel); padding: 0.6rem; border-radius: 4px; white-space: pre-wrap; overflow-wrap: anywhere; margin: 0.3rem 0 }
details { margin: 0.5rem 0; border-top: 1px solid var(--line); padding-top: 0.5rem }
summary { cursor: pointer; font-weight: 600; overflow-wrap: anywhere }
img { display: block; max-width: 100%; background: #fff; border-radius: 4px; margin-top: 0.5rem }
@media print { .switches { display: none } body { max-width: none } figure { break-inside: avoid } }
`;
