/** The one style of all pages: the system's own letters, light or dark as the reader's system is, one column on a phone. */
export const STYLE = `
:root{color-scheme:light dark;
--ground:light-dark(#f7f4ef,#161412);--card:light-dark(#fffdfa,#201d1a);--ink:light-dark(#211d18,#f1ebe2);--muted:light-dark(#6a6257,#a89f92);
--line:light-dark(#e5ded3,#37312b);--ember:light-dark(#b8450f,#f2935a);
--ok:light-dark(#2b7a4b,#63c08a);--degraded:light-dark(#9a6207,#e6b450);--down:light-dark(#b3261e,#f2857d);
--degraded-ground:light-dark(#fdf3dd,#33290f);--down-ground:light-dark(#fce8e6,#3a1a17)}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif;font-variant-numeric:tabular-nums}
.wrap{max-width:72rem;margin:0 auto;padding:0 1.25rem}
a{color:var(--ember)}
:focus-visible{outline:2px solid var(--ember);outline-offset:2px;border-radius:4px}
.top{display:flex;align-items:center;gap:.7rem;padding:1.1rem 0;flex-wrap:wrap}
.logo{width:2rem;height:2rem;flex:none}.logo rect{fill:#c8501e}.logo path{fill:#fff4e6}
.brand{font-weight:650;letter-spacing:-.01em;font-size:1.1rem}
.top nav{margin-left:auto;display:flex;gap:1.1rem;font-size:.9rem}
.muted{color:var(--muted)}
.small{font-size:.85rem}
h1{font-size:clamp(1.7rem,4.5vw,2.6rem);line-height:1.15;letter-spacing:-.025em;font-weight:680;margin:1.4rem 0 .5rem;text-wrap:balance}
h2{font-size:.8rem;font-weight:650;text-transform:uppercase;letter-spacing:.07em;color:var(--muted);margin:2.4rem 0 .8rem}
h1 .dot{width:.62em;height:.62em;margin-right:.35em}
.lead{font-size:1.1rem;margin:0;color:var(--muted)}.lead strong{color:var(--ink);font-weight:620}
.interruption{margin:.35rem 0 0;color:var(--muted);max-width:56rem;overflow-wrap:anywhere}
.dot{display:inline-block;width:.65rem;height:.65rem;border-radius:50%;background:var(--muted);flex:none}
.dot.ok{background:var(--ok)}.dot.degraded{background:var(--degraded)}.dot.down{background:var(--down)}
.alerts{list-style:none;margin:1.2rem 0 0;padding:0;display:grid;gap:.5rem}
.alerts li{padding:.65rem .9rem;border-radius:.6rem;background:var(--degraded-ground);border-left:4px solid var(--degraded);overflow-wrap:anywhere}
.alerts li.down{background:var(--down-ground);border-color:var(--down)}
.parts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,15.5rem),1fr));gap:.8rem;margin:0;padding:0;list-style:none}
.part{background:var(--card);border:1px solid var(--line);border-radius:.8rem;padding:.9rem 1rem;display:flex;flex-direction:column;gap:.15rem;min-width:0}
.part.degraded{border-color:var(--degraded)}.part.down{border-color:var(--down)}
.part header{display:flex;align-items:center;gap:.5rem;font-weight:620}
.part footer{margin-top:auto;padding:.35rem 0 0;font-size:.8rem;color:var(--muted)}
.figure{font-size:1.55rem;font-weight:640;letter-spacing:-.02em;line-height:1.3}.figure span{font-size:.9rem;font-weight:400;letter-spacing:0;color:var(--muted)}
.part p{margin:0;font-size:.87rem;color:var(--muted);overflow-wrap:anywhere}
.sheet{background:var(--card);border:1px solid var(--line);border-radius:.8rem;overflow:hidden}
table{width:100%;border-collapse:collapse;font-size:.92rem}
th{text-align:left;font-weight:600;color:var(--muted);font-size:.8rem;padding:.55rem .9rem;border-bottom:1px solid var(--line)}
td{padding:.5rem .9rem;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
tr:last-child td{border-bottom:0}
.when{white-space:nowrap;color:var(--muted);width:12rem}.ago{font-size:.85em;margin-left:.4em}
.name{font-weight:560}.id{display:block;color:var(--muted);font-size:.8rem;font-family:ui-monospace,"Cascadia Mono","Liberation Mono",monospace}
.state{font-weight:560}.state.off{color:var(--muted);font-weight:400}.state.gone{color:var(--degraded);font-style:italic;font-weight:400}
.was{color:var(--muted);font-weight:400}
.empty{padding:2rem 1rem;text-align:center;color:var(--muted);margin:0}
.note{position:sticky;top:0;z-index:1;background:var(--down-ground);color:var(--ink);padding:.5rem 1.25rem;text-align:center;border-bottom:1px solid var(--down)}
[hidden]{display:none!important}
.sign{max-width:26rem;margin:10vh auto;background:var(--card);border:1px solid var(--line);border-radius:1rem;padding:1.6rem}
.sign h1{font-size:1.5rem;margin:.2rem 0 .6rem}
.sign label{display:block;font-weight:600;margin:1rem 0 .3rem}
.sign input{width:100%;font:inherit;padding:.6rem .7rem;border-radius:.5rem;border:1px solid var(--line);background:var(--ground);color:inherit}
.sign button{margin-top:.9rem;font:inherit;font-weight:600;padding:.6rem 1.2rem;border:0;border-radius:.5rem;background:#b8450f;color:#fff;cursor:pointer}
.wrap>footer{color:var(--muted);font-size:.85rem;padding:2rem 0 3rem}
code,pre{font-family:ui-monospace,"Cascadia Mono","Liberation Mono",monospace;font-size:.88em}
pre{overflow-x:auto;background:var(--ground);border:1px solid var(--line);border-radius:.6rem;padding:.8rem;margin:.6rem 0}
details{background:var(--card);border:1px solid var(--line);border-radius:.7rem;margin:.5rem 0;padding:0 1rem}
summary{cursor:pointer;padding:.7rem 0;overflow-wrap:anywhere}
.method{display:inline-block;min-width:3.4rem;font-weight:700;font-size:.8rem;color:var(--ember)}
.scroll{overflow-x:auto}.key{white-space:nowrap;width:1%}
@media (max-width:40rem){
.wrap{padding:0 1rem}
.parts{grid-template-columns:repeat(2,minmax(0,1fr));gap:.6rem}.part{padding:.7rem .8rem}
.events thead{display:none}
.events tr{display:grid;grid-template-columns:1fr auto;gap:.1rem .8rem;padding:.6rem .9rem;border-bottom:1px solid var(--line)}
.events tr:last-child{border-bottom:0}
.events td{padding:0;border:0}
.events .what{grid-area:1/1}.events .value{grid-area:1/2;text-align:right;max-width:45vw}
.events .where{grid-area:2/1;color:var(--muted);font-size:.82rem}.events .when{grid-area:2/2;width:auto;text-align:right;font-size:.82rem}
.was{display:block}
}
`;
