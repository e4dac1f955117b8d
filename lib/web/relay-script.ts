/**
 * The only script of the relay's page, as it stands in it: asks every two seconds for the part that changes. Its address is relative, because Home Assistant
 * serves the page under a path of its own. It waits longer while nobody answers, and rests while nobody looks.
 */
export const RELAY_SCRIPT = `
(() => {
  "use strict";
  const USUAL_MS = 2000, LONGEST_MS = 30000;
  const live = document.getElementById("live"), note = document.getElementById("note");
  let waitMs = USUAL_MS, timer = 0, lastAt = Date.now();
  const say = (text) => { note.textContent = text; note.hidden = text === ""; };
  const later = () => { clearTimeout(timer); timer = setTimeout(refresh, waitMs); };

  async function refresh() {
    if (document.hidden) return;
    try {
      if (getSelection().isCollapsed) {
        const answer = await fetch("page/part", { cache: "no-store", signal: AbortSignal.timeout(10000) });
        if (!answer.ok) throw new Error(String(answer.status));
        const next = document.createElement("template");
        next.innerHTML = await answer.text();
        if (next.innerHTML !== live.innerHTML) live.replaceChildren(next.content);
        say("");
      }
      lastAt = Date.now();
      waitMs = USUAL_MS;
    } catch {
      waitMs = Math.min(waitMs * 2, LONGEST_MS);
      say("The relay has not answered for " + Math.round((Date.now() - lastAt) / 1000) + " s. What you see is from then; trying again.");
    }
    later();
  }

  document.addEventListener("visibilitychange", () => { waitMs = USUAL_MS; if (!document.hidden) refresh(); });
  later();
})();
`;
