import { type DoctorOptions, type Finding, failed, ok } from "./finding.ts";

/** The entity of the test event. Home Assistant has no such domain, so nothing of a home is touched. */
export const CANARY = "hearthline.canary";
const LOOK_EVERY_MS = 100;

/** A test event through every hop: taken and queued, enriched and stored, indexed. */
export async function journey({ api, clock, newId, patienceMs = 90_000 }: DoctorOptions): Promise<Finding[]> {
  const state = newId();
  const started = clock.monotonicMs();
  const took = () => `${Math.round(clock.monotonicMs() - started)} ms`;
  const timestamp = new Date(clock.nowMs()).toISOString();
  const sent = await api.ask<{ accepted?: number; detail?: string }>("POST", "/api/v1/events", {
    body: { event_type: "state_changed", entity_id: CANARY, state, timestamp },
  });
  if (sent.status !== 202 || sent.body.accepted !== 1) {
    return [
      failed(
        "test event: queued",
        `the API answered ${sent.status}: ${sent.body.detail ?? JSON.stringify(sent.body).slice(0, 200)}`,
        "A token with the scope write is needed; the events queue must answer.",
      ),
    ];
  }
  const findings = [ok("test event: queued", `taken after ${took()}`)];
  const waitFor = async (check: string, advice: string, look: () => Promise<boolean>): Promise<boolean> => {
    while (clock.monotonicMs() - started < patienceMs) {
      if (await look()) {
        findings.push(ok(check, `after ${took()}`));
        return true;
      }
      await clock.sleep(LOOK_EVERY_MS);
    }
    findings.push(failed(check, `not there after ${took()}`, advice));
    return false;
  };
  const isStored = await waitFor(
    "test event: enriched and stored",
    "Look at hearthline queues list: the function behind the fullest queue fails.",
    async () => {
      const { events } = await api.get<{ events: { state: string }[] }>("/api/v1/events", {
        entity_id: CANARY,
        limit: 10,
      });
      return events.some((event) => event.state === state);
    },
  );
  if (!isStored) return findings;
  await waitFor("test event: indexed", "Look at the index queue and its function index-devices.", async () => {
    const { entities } = await api.get<{ entities: { entity_id: string; state?: string }[] }>("/api/v1/entities", {
      domain: "hearthline",
      limit: 1_000,
    });
    return entities.some((entity) => entity.entity_id === CANARY && entity.state === state);
  });
  return findings;
}
