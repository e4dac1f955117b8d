import { formatIsoUs, parseIsoUs } from "../../lib/base/time.ts";
import { isCanary } from "../../lib/migration/canary-entity.ts";
import type { RunningStack } from "./stack.ts";

/** What a home that moves has beside its stack: the old pipeline of `local/legacy`, and somebody who reads all the time. */

interface LegacyEvent {
  readonly time_fired: string;
  readonly data: {
    readonly entity_id: string;
    readonly new_state: { readonly state: string; readonly last_updated: string } | null;
  };
}

/** By an event's name: no canary of the control plane. */
export const isOfHome = (name: string): boolean => !isCanary(name.split(" ")[0] ?? "");

/** As `sentEvents` and `keptEvents` name events. */
const nameOf = ({ time_fired, data: { entity_id, new_state } }: LegacyEvent): string =>
  new_state === null
    ? `${entity_id} ${time_fired} removed`
    : `${entity_id} ${new_state.last_updated} ${JSON.stringify(new_state.state)}`;

export const legacyOf = (stack: Pick<RunningStack, "parts">) => {
  const port = stack.parts().find(({ name }) => name === "legacy")?.port;
  const url = `http://127.0.0.1:${port}`;
  const ask = async (path: string, init?: RequestInit) => {
    const answer = await fetch(`${url}${path}`, init);
    if (!answer.ok) throw new Error(`The old pipeline answered ${path} with ${answer.status}.`);
    return answer.json();
  };
  const give = (path: string, method: string, body: object) =>
    ask(path, { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  return {
    url,
    put: (path: string, body: object) => give(path, "PUT", body),
    post: (path: string, body: object) => give(path, "POST", body),
    /** Everything it holds of a time, through all pages, without the control plane's own. */
    async events(from: string, to: string): Promise<string[]> {
      const names: string[] = [];
      for (let cursor = "", isMore = true; isMore; ) {
        const query = new URLSearchParams({ from, to, limit: "1000", ...(cursor && { cursor }) });
        const { events, next } = (await ask(`/api/v1/events?${query}`)) as { events: LegacyEvent[]; next?: string };
        names.push(...events.map(nameOf).filter(isOfHome));
        cursor = next ?? "";
        isMore = next !== undefined;
      }
      return names.sort();
    },
  };
};

/** Rows of a past that only OLD has: a temperature every ten minutes, as Home Assistant would have sent it. */
export const pastRows = (count: number, untilUs: number) =>
  Array.from({ length: count }, (_, n) => {
    const at = formatIsoUs(untilUs - (count - n) * 600_000_000 + n * 7);
    const state = { state: String(18 + (n % 40) / 10), attributes: { unit_of_measurement: "°C" } };
    return { entity_id: "sensor.cellar", ...state, last_changed: at, last_updated: at };
  });

interface Readings {
  /** Answers by who gave them. */
  readonly by: Readonly<Record<string, number>>;
  readonly failures: readonly string[];
  /** Events that had been read, and were not in an answer later than the lag. */
  readonly vanished: readonly string[];
  /** The oldest that the newest event of an answer ever was. */
  readonly stalestMs: number;
}

interface WireEvent {
  readonly entity_id: string;
  readonly last_updated: string;
  readonly state: string;
}

const PAGE = 200;

/**
 * Reads the newest events of the home and of one entity of it again and again, as a dashboard does, until it is told to end. What it has once been told must be there in every answer that reaches so
 * far back, but for what is younger than `lagMs`: the authority may have changed to a side that is behind by as much.
 */
export function startReader(stack: Pick<RunningStack, "fetch">, { lagMs }: { readonly lagMs: number }) {
  const by: Record<string, number> = {};
  const failures: string[] = [];
  const vanished = new Set<string>();
  const known = new Map<string, Map<string, number>>();
  let stalestMs = 0;
  let isOver = false;

  async function read(query: string): Promise<readonly WireEvent[]> {
    const answer = await stack.fetch(`/api/v1/events?order=desc&limit=${PAGE}${query}`);
    const text = await answer.text();
    if (answer.status !== 200) {
      failures.push(`${new Date().toISOString()} ${answer.status}: ${text.slice(0, 200)}`);
      return [];
    }
    const side = answer.headers.get("x-hearthline-authority") ?? "none";
    by[side] = (by[side] ?? 0) + 1;
    return (JSON.parse(text) as { events: WireEvent[] }).events;
  }

  async function look(entityId: string): Promise<void> {
    const askedUs = Date.now() * 1000;
    const events = await read(entityId && `&entity_id=${entityId}`);
    const names = new Map(
      events
        .filter(({ entity_id }) => isOfHome(entity_id))
        .map((event) => [`${event.entity_id} ${event.last_updated} ${event.state}`, parseIsoUs(event.last_updated)]),
    );
    if (names.size === 0) return;
    const times = [...names.values()];
    if (entityId === "") stalestMs = Math.max(stalestMs, (askedUs - Math.max(...times)) / 1000);
    const before = known.get(entityId) ?? new Map<string, number>();
    for (const [name, atUs] of before)
      if (atUs > Math.min(...times) && atUs < askedUs - lagMs * 1000 && !names.has(name)) vanished.add(name);
    known.set(entityId, names);
  }

  async function run(): Promise<void> {
    const entities = [...new Set((await read("")).map(({ entity_id }) => entity_id))].slice(0, 5);
    while (!isOver)
      for (const entityId of ["", ...entities]) {
        if (isOver) break;
        await look(entityId).catch((thrown: unknown) => failures.push(String(thrown)));
        await new Promise((done) => setTimeout(done, 100));
      }
  }

  const running = run();
  return {
    async end(): Promise<Readings> {
      isOver = true;
      await running;
      return { by, failures, vanished: [...vanished], stalestMs };
    },
  };
}
