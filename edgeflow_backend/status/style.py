"""How the status page looks; in the head of the page, which loads nothing."""

STYLE = """
:root {
  color-scheme: light dark;
  --ground: #f5f6f8; --card: #fff; --line: #dfe2e8; --text: #1b1f27; --soft: #5a6372;
  --good: #17803d; --warning: #a35a00; --bad: #c0262d; --link: #1a5fc4; --chip: #e9ecf1;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171c; --card: #1d2128; --line: #323842; --text: #e7eaf0; --soft: #a3acba;
    --good: #4cc576; --warning: #f0a63c; --bad: #ff7b7b; --link: #7fb2ff; --chip: #2d333d;
  }
}
* { box-sizing: border-box; margin: 0; }
body {
  max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 2rem; background: var(--ground);
  color: var(--text); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere;
}
h1 { font-size: 1.5rem; line-height: 1.25; }
h2 + .soft { margin: -.4rem 0 .6rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 .6rem; }
a { color: var(--link); }
code { font: .9em ui-monospace, monospace; white-space: nowrap; }
p > code:only-child { white-space: normal; }
ul, ol { padding-left: 1.2rem; }
ul.cards { list-style: none; padding: 0; }
.good { color: var(--good); } .warning { color: var(--warning); } .bad { color: var(--bad); }
.do { color: var(--soft); }
.soft { color: var(--soft); font-size: .875rem; }
.end { margin-top: 2rem; }
.card {
  background: var(--card); border: 1px solid var(--line); border-radius: .6rem;
  padding: .75rem 1rem; margin-bottom: .6rem;
}
.mark { border-left: .3rem solid currentColor; border-radius: .2rem .6rem .6rem .2rem; }
.mark ul + .soft { margin-top: .35rem; }
.mark > :not(.soft) { color: var(--text); }
.row { display: flex; gap: .75rem; justify-content: space-between; align-items: start; }
.chip { flex: none; background: var(--chip); border-radius: 1rem; padding: 0 .65rem; }
.facts { display: flex; flex-wrap: wrap; gap: 0 1rem; margin-top: .35rem; }
.tiles {
  display: grid; gap: .6rem; grid-template-columns: repeat(auto-fill, minmax(10.5rem, 1fr));
}
.tiles > div { margin: 0; }
.tiles + p { margin-top: .5rem; }
.tiles dd b { font-size: 1.3rem; }
"""
