/** The style of the views that the page's client draws, beside that of all pages. Warm and calm: the hearth's orange is for what matters, slate for presence. */
export const APP_STYLE = `
:root{--presence:light-dark(#5b7a99,#8fb0d0);--light:light-dark(#d9731f,#f2a45a);--device:light-dark(#6f8f5a,#a3c38a);
--track:light-dark(#efe9df,#2b2622);--button:light-dark(#fffdfa,#2b2622);--ember-ground:light-dark(#fbeadd,#3a2416);--good-ground:light-dark(#e4f2e8,#16301f);
--p1:light-dark(#8a7f72,#b5aa9c);--p2:light-dark(#5b7a99,#8fb0d0);--p3:light-dark(#d9731f,#f2a45a);--p4:light-dark(#a98a2e,#d9bd5f);--p5:light-dark(#6f8f5a,#a3c38a);--p6:light-dark(#94618e,#c99ac4);--p7:light-dark(#c9bba8,#5c5348)}
html{scroll-padding-top:4rem}
.views{position:sticky;top:0;z-index:2;display:flex;gap:.25rem;overflow-x:auto;margin:0 -1.25rem;padding:.25rem 1.25rem 0;background:var(--ground);border-bottom:1px solid var(--line);scrollbar-width:none}
.views a{flex:none;padding:.55rem .8rem;color:var(--muted);text-decoration:none;font-weight:560;border-bottom:3px solid transparent;margin-bottom:-1px}
.views a:hover{color:var(--ink)}
.views a:focus-visible{outline-offset:-3px}
.views a[aria-current]{color:var(--ink);border-color:var(--ember)}
@media (scripting:none){.views{display:none}}
.badge{display:inline-block;margin-left:.4rem;min-width:1.35rem;padding:0 .35rem;border-radius:1rem;background:var(--ember-ground);color:var(--ember);font-size:.78rem;text-align:center}
#main:focus{outline:none}
.app{padding-bottom:1rem}
.app .lead{max-width:44rem;text-wrap:pretty}
.app p{overflow-wrap:anywhere}
.view-head{margin-bottom:1.4rem}
.visually-hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.app button,.app select{font:inherit;font-weight:560;color:var(--ink);background:var(--button);border:1px solid var(--line);border-radius:.55rem;padding:.42rem .85rem;min-height:2.4rem}
.app button{cursor:pointer}
.app button:hover{border-color:var(--muted)}
.app button.primary{background:#b8450f;border-color:#b8450f;color:#fff}
.app button.primary:hover{background:#a03c0c}
.app button.quiet{background:none;border-color:transparent;color:var(--muted)}
.app button.quiet:hover{color:var(--ink);border-color:var(--line)}
.app :disabled{opacity:.6;cursor:default}
.app h2{text-transform:none;letter-spacing:0;color:inherit;font-size:1rem;margin:0}
.loading{display:grid;gap:.9rem}.loading .sheet{height:9rem;animation:breathe 1.6s ease-in-out infinite}
@keyframes breathe{50%{opacity:.45}}
@media (prefers-reduced-motion:reduce){*{animation:none!important;transition:none!important;scroll-behavior:auto!important}}
.nothing{padding:2.4rem 1.4rem;text-align:center;color:var(--muted)}.nothing p{margin:.2rem auto;max-width:36rem}.nothing code{white-space:nowrap}.nothing .nothing-title{color:var(--ink);font-weight:620;font-size:1.1rem}
.trouble{margin:0 0 1rem;padding:.6rem .9rem;border-radius:.6rem;background:var(--down-ground);border-left:4px solid var(--down);display:flex;flex-wrap:wrap;gap:.3rem .8rem;align-items:center;justify-content:space-between}
.chips{display:flex;flex-wrap:wrap;gap:.4rem .5rem;align-items:center;margin:0 0 .5rem}
.chip{display:inline-block;max-width:100%;padding:.08rem .6rem;border-radius:1rem;font-size:.8rem;font-weight:560;background:var(--ember-ground);color:var(--ember);overflow-wrap:anywhere}
.chip.plain,.chip.quiet{background:var(--track);color:var(--muted)}.chip.plain .name{font-weight:inherit}
.chip.good{background:var(--good-ground);color:var(--ok)}.chip.warn{background:var(--degraded-ground);color:var(--degraded)}.chip.bad{background:var(--down-ground);color:var(--down)}
.chip.rank{min-width:1.7rem;text-align:center;font-size:.9rem;font-weight:680;padding:.05rem .5rem}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;margin:0 0 1rem;padding:0;font-size:.88rem;color:var(--muted)}
.swatch{display:inline-block;width:.75rem;height:.75rem;border-radius:.2rem;margin-right:.4rem;vertical-align:-.06rem;flex:none}
.swatch.presence{background:var(--presence)}.swatch.light{background:var(--light)}.swatch.device{background:var(--device)}
.swatch.held{background:var(--light)}.swatch.kept{background:var(--track);border:1px solid var(--line)}
.swatch.phase-capabilities{background:var(--p1)}.swatch.phase-events{background:var(--p2)}.swatch.phase-patterns{background:var(--p3)}.swatch.phase-features{background:var(--p4)}.swatch.phase-suggestions{background:var(--p5)}.swatch.phase-publish{background:var(--p6)}.swatch.phase-retention{background:var(--p7)}
rect.phase-capabilities{fill:var(--p1)}rect.phase-events{fill:var(--p2)}rect.phase-patterns{fill:var(--p3)}rect.phase-features{fill:var(--p4)}rect.phase-suggestions{fill:var(--p5)}rect.phase-publish{fill:var(--p6)}rect.phase-retention{fill:var(--p7)}
svg text{fill:var(--muted);font-size:10.5px}
.edge.start{text-anchor:start}.edge.middle{text-anchor:middle}.edge.end{text-anchor:end}
.grid{stroke:var(--line);stroke-width:1}
.days{display:flex;flex-wrap:wrap;justify-content:space-between;gap:.4rem 1.5rem;margin:0 0 1.2rem}
.days a{text-decoration:none;padding:.3rem 0}
.rooms{background:var(--card);border:1px solid var(--line);border-radius:.8rem;padding:1rem 1.2rem .4rem}
.moment{display:flex;flex-wrap:wrap;gap:.3rem 1rem;align-items:center;margin-bottom:.6rem;font-size:.92rem}
.moment label{flex:0 0 12.4rem;color:var(--muted)}.moment output{color:var(--ink);font-weight:620}
.moment input{flex:1 1 12rem;min-width:0;margin:0;accent-color:var(--ember);height:1.6rem}
.room{display:grid;grid-template-rows:auto 1fr;grid-template-columns:12.4rem minmax(0,1fr);gap:.1rem 1rem;align-items:start;padding:.7rem 0;border-top:1px solid var(--line)}
.room.axis-row{border-top:0;padding:0 0 .1rem}
.hours{display:block;overflow:visible}
.room-name{overflow-wrap:anywhere;font-weight:620;grid-row:span 2;line-height:1.35}
.ribbon{display:block;background:var(--track);border-radius:.4rem;cursor:crosshair;touch-action:pan-y}
.ribbon .presence{fill:var(--presence)}.ribbon .light{fill:var(--light)}.ribbon .device{fill:var(--device)}
.cursor{stroke:var(--ink);stroke-width:1.5}
.on-one{display:inline-block;margin-right:.9rem;color:var(--ink)}.on-one .name{font-weight:500}
.room details{grid-column:2;background:none;border:0;margin:0;padding:0}
.room summary{font-size:.87rem;color:var(--muted);padding:.2rem 0 0;min-height:1.6rem}
.tracks{list-style:none;margin:.3rem 0 .5rem;padding:0;font-size:.9rem;display:grid;gap:.45rem}
.tracks li{overflow-wrap:anywhere}.times{display:block;color:var(--muted);padding-left:1.15rem;font-size:.85rem}
.cards,.suggestions,.nights,.layers ol{list-style:none;margin:0;padding:0}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,25rem),1fr));gap:.9rem}
.card{padding:1.1rem 1.2rem;display:flex;flex-direction:column;min-width:0}
.card.ended,.card.fading{background:none}
.card-title{font-size:1.12rem!important;line-height:1.35;font-weight:640;letter-spacing:-.01em;overflow-wrap:anywhere;text-wrap:pretty}
.says{margin:.3rem 0 0;font-size:.95rem;max-width:40rem}
.picture{min-height:11rem;margin:.9rem 0 .2rem;display:flex;align-items:center}
.evidence{display:flex;flex-wrap:wrap;gap:.8rem 1.4rem;align-items:center}
.clock{width:10.6rem;height:10.6rem;flex:none}
.face{fill:var(--track)}.dark-half{fill:var(--ink);opacity:.06}.spread{fill:var(--ember)}.petal{fill:var(--light)}
.hub{fill:var(--card)}.hand{stroke:var(--ink);stroke-width:1.6;stroke-linecap:round}.mark{stroke:var(--muted);stroke-width:1}
.clock .hour{text-anchor:middle;dominant-baseline:central;font-size:9px}
.clock .time{text-anchor:middle;dominant-baseline:central;font-size:13px;font-weight:680;fill:var(--ink)}
.bars{width:14rem;max-width:100%;height:auto;flex:none}.bar{fill:var(--light)}.usual .bar{fill:var(--presence)}.usual .bar.odd{fill:var(--light)}.axis{stroke:var(--line);stroke-width:1}
.calendar{flex:0 1 auto;min-width:0;display:block;max-width:100%}.beside{flex-wrap:nowrap}
.cell.hit rect,.cell.part rect{fill:var(--light)}.cell.miss rect{fill:none;stroke:var(--muted);stroke-width:1}.cell.part circle{fill:var(--card)}.cell.none circle{fill:var(--muted);opacity:.7}
.numbers{display:grid;gap:.1rem;margin:.8rem 0 0;padding-top:.7rem;border-top:1px solid var(--line);font-size:.88rem;color:var(--muted)}
.numbers span:first-child{color:var(--ink)}
.card .numbers{margin-top:auto}
.steps{list-style:none;margin:.6rem 0 0;padding:0;display:flex;flex-wrap:wrap;gap:.35rem 1.4rem;font-size:.9rem}
.steps li{position:relative;background:var(--track);border-radius:.5rem;padding:.15rem .6rem;max-width:100%;overflow-wrap:anywhere}
.steps:not(.together) li:not(:last-child)::after{content:"→";position:absolute;right:-1.2rem;color:var(--muted)}
.steps.together{gap:.35rem .5rem}
.filters{display:flex;flex-wrap:wrap;gap:.6rem 1rem;align-items:end;margin-bottom:1.1rem}
.filters label{display:grid;gap:.15rem;font-size:.83rem;color:var(--muted);min-width:0}.filters select{max-width:min(16rem,80vw)}
.filters .check{display:flex;align-items:center;gap:.5rem;min-height:2.4rem;font-size:.95rem;color:var(--ink)}.check input{width:1.1rem;height:1.1rem;accent-color:var(--ember)}
.filters output{margin-left:auto;min-height:2.4rem;display:flex;align-items:center;font-size:.9rem}
.more{text-align:center}
.suggestions{display:grid;gap:.9rem}
.suggestion{flex-direction:row;flex-wrap:wrap;gap:.6rem 2rem}
.suggestion-words{flex:1 1 24rem;min-width:0}
.suggestion .picture{flex:0 1 auto;margin:0;min-width:min(100%,23rem);justify-content:center}
.suggestion.dismissed,.suggestion.snoozed{background:none}
.outcome{margin:.6rem 0 0;padding-left:.8rem;border-left:3px solid var(--line);font-size:.93rem}.outcome.good{border-color:var(--ok)}.outcome.poor{border-color:var(--degraded)}
.decisions{border:0;margin:1rem 0 0;padding:0;min-width:0;display:flex;flex-wrap:wrap;gap:.5rem .6rem;align-items:center}
.decisions.none{margin:0}.decisions:focus{outline:none}.decisions:focus-visible{outline:2px solid var(--ember);outline-offset:4px;border-radius:.4rem}
.decisions .trouble{flex-basis:100%;margin:.3rem 0 0}
.snooze{display:inline-flex}.snooze button{border-radius:.55rem 0 0 .55rem}.app .snooze select{border-radius:0 .55rem .55rem 0;border-left:0;font-weight:400}
.yaml{background:none;border:0;margin:.7rem 0 0;padding:0}.yaml summary{padding:.2rem 0;color:var(--muted);font-size:.92rem;width:fit-content}.yaml-text{max-height:24rem;overflow:auto;margin:.4rem 0 .6rem}.yaml pre{margin:0;overflow:visible;width:fit-content;min-width:100%}
.migration-part{margin-top:.9rem}.ratios{margin:.6rem 0}.ratios figcaption{font-size:.88rem;color:var(--muted)}.ratios svg{display:block;background:var(--track);border-radius:.4rem}.ratios .limit{stroke:var(--down);stroke-dasharray:6 4}.ratio{fill:var(--ember)}.steps [aria-current]{background:var(--ember-ground)}.scroll{overflow-x:auto}
.group{background:none;border:0;padding:0;margin:1.8rem 0 0}.group>summary{font-weight:640;font-size:1.05rem;width:fit-content}
.nights{display:grid;gap:.6rem}
.night{padding:0 1.1rem}
.night-line{display:grid;grid-template-columns:7rem 9.5rem minmax(0,1fr) 4.5rem;gap:.3rem 1rem;align-items:center}
.night-line::before{display:none}
.night-date{white-space:nowrap}.night .chip{justify-self:start}
.night-total{text-align:right;font-weight:560}
.phases{display:block;background:var(--track);border-radius:.35rem}
.night .trouble{margin:0 0 .9rem}
.night details{background:none;border:0;padding:0;margin:0}.night summary{padding:.75rem 0}.night summary:hover .night-date{color:var(--ember)}
.night td .swatch{margin-right:.6rem}
.number{text-align:right;white-space:nowrap}
.layers{padding:.4rem 1.2rem 1rem;margin-bottom:1rem}
.layer{display:grid;grid-template-columns:12.4rem minmax(0,1fr);gap:.1rem 1.4rem;padding:1rem 0;border-bottom:1px solid var(--line)}
.layer-name{font-weight:640}.layer-number{display:inline-block;width:1.5rem;height:1.5rem;line-height:1.5rem;border-radius:50%;text-align:center;font-size:.85rem;background:var(--ember-ground);color:var(--ember);margin-right:.3rem}.layer-holds{margin:0;font-size:.88rem;color:var(--muted);grid-column:1}
.layer-bar{grid-column:2;grid-row:1;align-self:center;display:block}
.layer-says{grid-column:2;grid-row:2;margin:.2rem 0 0;font-size:.9rem;color:var(--muted);display:flex;flex-wrap:wrap;gap:.1rem 1.4rem}.layer-says strong{color:var(--ink);font-weight:620}
rect.kept{fill:var(--track);stroke:var(--line)}rect.held{fill:var(--light)}
.scale{display:block;margin-left:13.8rem;width:calc(100% - 13.8rem);overflow:visible}
@media (max-width:44rem){
.views{margin:0 -1rem;padding:.25rem 1rem 0}
.room,.layer{grid-template-columns:minmax(0,1fr)}.room-name{grid-row:auto}
.axis-row>span{display:none}
.room details,.layer-bar,.layer-says,.layer-holds{grid-column:1;grid-row:auto}
.layer-bar{margin-top:.4rem}
.scale{margin-left:0;width:100%}
.moment label{flex-basis:100%}
.night-line{grid-template-columns:auto minmax(0,1fr) auto;gap:.45rem .7rem}.night .chip{justify-self:end;white-space:nowrap}
.phases{grid-column:1/-1;grid-row:2}
.rooms{padding:.9rem .9rem .3rem}
.card{padding:1rem}
.evidence{gap:.8rem;justify-content:center}
.beside{gap:.6rem}.clock{width:7.8rem;height:7.8rem}.clock .hour{font-size:11px}
.top{gap:.55rem}.top nav{gap:.8rem;font-size:.85rem}
.suggestion{flex-direction:column}.suggestion-words{flex:none}.suggestion .picture{justify-content:flex-start;min-height:0}
.night-date{font-size:.95rem!important}
.filters output{margin-left:0}
}
`;
