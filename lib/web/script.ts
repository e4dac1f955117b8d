/**
 * The page's only script, as it stands in the page: asks every two seconds for the live part and puts in what has changed. It waits longer
 * while nobody answers, rests while nobody looks or another view is shown, and leaves the page alone while somebody marks text in it.
 */
export const SCRIPT = `
(() => {
  "use strict";
  const USUAL_MS = 2000, LONGEST_MS = 30000, KEY = "hearthline-token";
  const live = document.getElementById("live"), today = document.getElementById("today"), note = document.getElementById("note"), sign = document.getElementById("sign");
  const given = document.querySelector('meta[name="hearthline-token"]');
  let token = given ? given.content : sessionStorage.getItem(KEY);
  let waitMs = USUAL_MS, timer = 0, lastAt = Date.now();

  const say = (text) => { note.textContent = text; note.hidden = text === ""; };
  const later = () => { clearTimeout(timer); timer = setTimeout(refresh, waitMs); };
  const tell = (name) => document.dispatchEvent(new CustomEvent("hearthline:" + name, { detail: token }));
  const signOut = (text) => {
    sessionStorage.removeItem(KEY);
    token = null;
    live.hidden = true;
    sign.hidden = false;
    say(text);
    tell("signed-out");
  };

  function put(text) {
    const next = document.createElement("template");
    next.innerHTML = text;
    for (const part of next.content.querySelectorAll("[data-part]")) {
      const there = live.querySelector('[data-part="' + part.dataset.part + '"]');
      if (!there) { live.replaceChildren(next.content); return; }
      if (there.innerHTML !== part.innerHTML) there.innerHTML = part.innerHTML;
    }
  }

  async function refresh() {
    if (!token || document.hidden || today.hidden) return;
    try {
      if (getSelection().isCollapsed) {
        const answer = await fetch("/page/live", { headers: { authorization: "Bearer " + token }, cache: "no-store" });
        if (answer.status === 401 || answer.status === 403) return signOut(given ? "This page's token is no longer good: load the page again." : "This token is not good, or may not read.");
        if (!answer.ok) throw new Error(String(answer.status));
        put(await answer.text());
        live.hidden = false;
        say("");
        if (!sign.hidden) { sign.hidden = true; tell("signed-in"); }
      }
      lastAt = Date.now();
      waitMs = USUAL_MS;
    } catch {
      waitMs = Math.min(waitMs * 2, LONGEST_MS);
      say("No answer for " + Math.round((Date.now() - lastAt) / 1000) + " s. What you see is from then; trying again.");
    }
    later();
  }

  sign.addEventListener("submit", (event) => {
    event.preventDefault();
    token = document.getElementById("token").value.trim();
    sessionStorage.setItem(KEY, token);
    refresh();
  });
  document.addEventListener("visibilitychange", () => { waitMs = USUAL_MS; if (!document.hidden) refresh(); });
  document.addEventListener("hearthline:view", () => { if (today.hidden) say(""); waitMs = USUAL_MS; refresh(); });
  document.addEventListener("hearthline:refused", () => signOut("This token is no longer good: load the page again."));
  if (live.childElementCount > 0) later(); else refresh();
})();
`;
