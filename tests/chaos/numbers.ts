import { parseIsoUs } from "../../lib/base/time.ts";
import type { Happened } from "../support/recorder.ts";

const ENTITIES = 16;
export const isNumbered = (entityId: string): boolean => /^sensor\.chaos_\d+$/.test(entityId);

/** Numbered changes: the state of some entities is a sequence number over all of them, so that a hole is a lost event. */
export interface Numbers {
  /** The last number that was tried. */
  readonly tried: number;
  /** What the home confirmed, with the time that it gave. */
  readonly confirmed: readonly Happened[];
  stop(): Promise<void>;
}

interface NumbersOptions {
  /** The home itself, not the line. */
  readonly url: string;
  readonly token: string;
  readonly ratePerSecond: number;
}

/** A home that does not answer is asked again so much later, for the next number. */
const AWAY_MS = 50;
const ANSWER_MS = 2_000;

/** Begins with one change of each entity; resolves when the home has confirmed those. */
export async function startNumbers({ url, token, ratePerSecond }: NumbersOptions): Promise<Numbers> {
  const confirmed: Happened[] = [];
  const stopping = new AbortController();
  let tried = 0;
  const next = async () => {
    tried += 1;
    const entityId = `sensor.chaos_${tried % ENTITIES}`;
    const answer = await fetch(`${url}/api/states/${entityId}`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ state: String(tried), attributes: { unit_of_measurement: "events" } }),
      signal: AbortSignal.any([stopping.signal, AbortSignal.timeout(ANSWER_MS)]),
    });
    if (!answer.ok) throw new Error(`The home answered ${answer.status} to number ${tried}: ${await answer.text()}`);
    const { last_updated, state } = (await answer.json()) as { last_updated: string; state: string };
    confirmed.push({ entityId, atUs: parseIsoUs(last_updated), state });
  };
  for (let entity = 0; entity < ENTITIES; entity++) await next();
  const run = async () => {
    for (let dueMs = performance.now(); !stopping.signal.aborted; dueMs += 1000 / ratePerSecond) {
      const waitMs = dueMs - performance.now();
      if (waitMs > 0) await new Promise((done) => setTimeout(done, waitMs));
      if (stopping.signal.aborted) return;
      await next().catch(async () => {
        await new Promise((done) => setTimeout(done, AWAY_MS));
        dueMs = performance.now();
      });
    }
  };
  const running = run();
  return {
    get tried() {
      return tried;
    },
    confirmed,
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
