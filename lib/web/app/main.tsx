import { render } from "preact";
import { App, viewOf } from "./app.tsx";
import { createClient } from "./client.ts";
import { usableClock } from "./day.ts";
import { newestMigration } from "./migration.tsx";
import { isOpen, readSuggestions, SUGGESTIONS } from "./suggestions.tsx";
import { type Session, SessionContext } from "./use-data.ts";

/**
 * The page's client. The page stands without it: it adds the other views to what the server has drawn, and leaves signing in and the live part to the
 * page's own script, from which it hears by events of the document.
 */

const TOKEN_KEY = "hearthline-token";
const app = document.getElementById("app");
const today = document.getElementById("today");
const views = document.getElementById("views");
const baseTitle = document.title;

const tokenNow = (): string | null =>
  document.querySelector<HTMLMetaElement>('meta[name="hearthline-token"]')?.content ??
  sessionStorage.getItem(TOKEN_KEY);

function newSession(token: string): Session {
  const told = document.querySelector<HTMLElement>("[data-time-zone]")?.dataset ?? {};
  const { timeZone = "", dayStart = "" } = told;
  return {
    client: createClient(token, (path, init) => fetch(path, init)),
    clock: usableClock({ timeZone, dayStart }),
    shown: new Map(),
    nowMs: () => Date.now(),
  };
}

let session: Session | undefined;

/** Shows the view of the address: Today is the server's, the others are drawn here. */
function show(): void {
  const { name } = viewOf(location.hash);
  if (!app || !today || !views) return;
  const isToday = name === "today" || !session;
  today.hidden = !isToday;
  app.hidden = isToday;
  views.hidden = !session;
  for (const link of views.querySelectorAll("a")) {
    const isCurrent = link.hash === `#${name}`;
    if (isCurrent) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    if (isCurrent && isToday) document.title = baseTitle;
    else if (isCurrent) document.title = `${link.dataset.label ?? link.textContent} · ${baseTitle}`;
    // On a phone the row of views scrolls.
    if (isCurrent) views.scrollLeft = link.offsetLeft - (views.clientWidth - link.offsetWidth) / 2;
  }
  document.dispatchEvent(new CustomEvent("hearthline:view"));
}

function start(): void {
  const token = tokenNow();
  // Without the zone of the home nothing is known of it yet: the page's own script asks first.
  if (!app || !token || !document.querySelector("[data-time-zone]")) return;
  session = newSession(token);
  render(
    <SessionContext.Provider value={session}>
      <App />
    </SessionContext.Provider>,
    app,
  );
  show();
  void countSuggestions(session);
  void showMigration(session);
}

function stop(): void {
  session = undefined;
  if (app) render(null, app);
  show();
}

const COUNT_AGAIN_MS = 5 * 60_000;
let countTimer: ReturnType<typeof setTimeout> | undefined;

/** The number of open suggestions beside their name. */
async function countSuggestions(of: Session): Promise<void> {
  clearTimeout(countTimer);
  try {
    if (!document.hidden) {
      const data = await readSuggestions(of.client);
      if (!of.shown.has(SUGGESTIONS)) of.shown.set(SUGGESTIONS, { data, atMs: of.nowMs() });
      putCount(data.filter(isOpen).length);
    }
  } catch {
    // The view itself says what is wrong; a number that may be wrong is not shown.
    putCount(0);
  }
  countTimer = setTimeout(() => session === of && countSuggestions(of), COUNT_AGAIN_MS);
}

/** Hardly any home has one: its view is there only where there is. */
async function showMigration(of: Session): Promise<void> {
  const link = views?.querySelector<HTMLAnchorElement>('a[href="#migration"]');
  try {
    if (link) link.hidden = (await newestMigration(of.client)) === undefined;
  } catch {
    // Without it nothing is missing; the next time the page is loaded it is looked for again.
  }
}

function putCount(count: number): void {
  const link = views?.querySelector<HTMLAnchorElement>('a[href="#suggestions"]');
  if (!link) return;
  link.dataset.label ??= link.textContent ?? "";
  const badge = document.createElement("span");
  badge.className = "badge";
  badge.textContent = String(count);
  link.replaceChildren(link.dataset.label, ...(count > 0 ? [badge] : []));
}

document.addEventListener("hearthline:signed-in", start);
document.addEventListener("hearthline:signed-out", stop);
document.addEventListener("hearthline:decided", () => session && countSuggestions(session));
addEventListener("hashchange", show);
start();
