import type { ReferenceClock } from "../relay/ports.ts";

const TIMEOUT_MS = 5_000;

/** The clock of whoever answers at an address, as its `Date` header tells it, whatever else the answer says. */
export function createHttpClock(name: string, address: string): ReferenceClock {
  return {
    name,
    async nowMs() {
      try {
        const answer = await fetch(address, { redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS) });
        await answer.body?.cancel();
        const ms = Date.parse(answer.headers.get("date") ?? "");
        return Number.isNaN(ms) ? undefined : ms;
      } catch {
        // Whether it can be reached is told elsewhere.
        return undefined;
      }
    },
  };
}

/** Home Assistant's own page from any of its addresses: `ws` becomes `http`, the path `/manifest.json` (small, no token needed). */
export function homeAssistantPage(url: string): string {
  const page = new URL(url.replace(/^ws/, "http"));
  page.pathname = "/manifest.json";
  page.search = "";
  page.hash = "";
  return page.href;
}
