import type { LiveModel, Page } from "../api/index.ts";
import { APP_STYLE } from "./app-style.ts";
import { documentPage, LOGO } from "./document.ts";
import { type Html, html } from "./html.ts";
import { livePart } from "./live.ts";
import { SCRIPT } from "./script.ts";

interface HomePageParts {
  readonly live?: LiveModel;
  readonly token?: string;
  /** The address of the client's script. */
  readonly client?: string;
}

/** What the client shows, by the part of the address after `#`. */
const VIEWS = [
  ["today", "Today"],
  ["yesterday", "Yesterday"],
  ["suggestions", "Suggestions"],
  ["patterns", "Patterns"],
  ["nights", "Nights"],
  ["layers", "Layers"],
  ["migration", "Migration"],
] as const;

const views = (isSignedIn: boolean): Html =>
  html`<nav id="views" class="views" aria-label="Views" ${isSignedIn ? undefined : html`hidden`}>${VIEWS.map(
    ([view, label]) =>
      html`<a href="#${view}" ${view === "today" && html`aria-current="page"`}${view === "migration" && html`hidden`}>${label}</a>`,
  )}</nav>`;

/** The page at `/`: drawn whole by the server, so that it says something before, and without, its script. */
export function homePage({ live, token, client }: HomePageParts): Page {
  const name = live?.homeName ?? "";
  return documentPage({
    title: name === "" ? "Hearthline" : `${name} · Hearthline`,
    style: APP_STYLE,
    client,
    ...(token !== undefined && { head: html`<meta name="hearthline-token" content="${token}">\n` }),
    body: html`<div id="note" class="note" role="alert" hidden></div>
<div class="wrap">
<header class="top">${LOGO}<span class="brand">Hearthline</span><span class="muted">${name}</span>
<nav><a href="/docs">API</a><a href="/health">Health</a></nav></header>
${client !== undefined && views(live !== undefined)}
<noscript><p class="alerts">Without JavaScript this page shows how things were when it was loaded.</p></noscript>
<main id="main" tabindex="-1"><div id="today"><div id="live">${live && livePart(live)}</div></div>${client !== undefined && html`<div id="app" class="app" hidden></div>`}</main>
<form id="sign" class="sign" ${live ? html`hidden` : undefined}>
<h1>Sign in</h1>
<p class="muted">This page shows one home to whoever has a token that may read it. Make one with <code>npx hearthline tokens create</code>.</p>
<label for="token">Token</label>
<input id="token" type="password" autocomplete="off" spellcheck="false" placeholder="hl_…" required>
<button>Show the home</button>
</form>
<footer>${live && html`Hearthline ${live.health.version}`}</footer>
</div>
`,
    script: SCRIPT,
  });
}
