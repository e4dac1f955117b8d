import type { Command } from "commander";
import type { Clock } from "../../lib/base/clock.ts";
import { systemRandom } from "../../lib/base/random.ts";
import { backoffMs } from "../../lib/base/retry.ts";
import type { WireEvent } from "../../lib/event/index.ts";
import { type ApiClient, refusal } from "./api-client.ts";
import { CommandFailure } from "./outcome.ts";

export interface Filters {
  readonly from?: string;
  readonly to?: string;
  readonly entity?: string;
  readonly area?: string;
  readonly device?: string;
  readonly domain?: string;
}

export const withFilters = (command: Command): Command =>
  command
    .option("--from <time>", "ISO 8601 with offset, included")
    .option("--to <time>", "ISO 8601 with offset, not included")
    .option("--entity <id,...>", "entity ids")
    .option("--area <id>", "area id")
    .option("--device <id>", "device id")
    .option("--domain <name>", "such as light");

export const queryOf = ({ from, to, entity, area, device, domain }: Filters) => ({
  from,
  to,
  entity_id: entity,
  area_id: area,
  device_id: device,
  domain,
});

interface EventPage {
  readonly events: readonly WireEvent[];
  readonly next: string | null;
}

export interface PagesOptions {
  readonly api: ApiClient;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** So many events at most; default: all. */
  readonly limit?: number;
}

const EVENTS = "/api/v1/events";
const PAGE = 1_000;
/** A page is asked for so many times in a row, while the API says that it is busy; once one has come, also while it does not answer. */
const TRIES = 6;
const WAIT_MAX_MS = 60_000;

/** The pages of a query, each asked for when the one before was used up. Ends early with the signal. */
export async function* eventPages(
  query: Readonly<Record<string, string | undefined>>,
  { limit = Number.POSITIVE_INFINITY, ...options }: PagesOptions,
): AsyncGenerator<readonly WireEvent[]> {
  let cursor: string | undefined;
  for (let left = limit; left > 0 && !options.signal.aborted; ) {
    const asked = { ...query, cursor, limit: Math.min(PAGE, left) };
    const page = await pageOf(asked, { ...options, hasBegun: cursor !== undefined });
    if (!page) return;
    yield page.events;
    left -= page.events.length;
    if (page.next === null) return;
    cursor = page.next;
  }
}

/** One page; undefined: the signal ended the waiting for it. */
async function pageOf(
  query: Readonly<Record<string, string | number | undefined>>,
  { api, clock, signal, hasBegun }: Omit<PagesOptions, "limit"> & { readonly hasBegun: boolean },
): Promise<EventPage | undefined> {
  for (let attempt = 1; ; attempt++) {
    const isLast = attempt >= TRIES;
    const answer = await api.ask<EventPage>("GET", EVENTS, { query }).catch((thrown: unknown) => {
      if (hasBegun && !isLast && thrown instanceof CommandFailure && thrown.exitCode === 3) return undefined;
      throw thrown;
    });
    if (answer && answer.status >= 200 && answer.status < 300) return answer.body;
    const isWorthIt = answer === undefined || answer.status === 429 || (hasBegun && answer.status >= 500);
    if (answer && (isLast || !isWorthIt)) throw refusal(`GET ${EVENTS}`, answer.status, answer.body);
    const wantedMs = (answer?.retryAfterSeconds ?? 0) * 1000;
    await clock.sleep(Math.min(WAIT_MAX_MS, wantedMs + backoffMs(attempt, systemRandom)), signal);
    if (signal.aborted) return undefined;
  }
}
