import type { Clock } from "../base/clock.ts";
import { HearthlineError } from "../base/errors.ts";
import type { Microseconds } from "../base/time.ts";
import type { EntityFilter } from "../relay/index.ts";
import type { HaSession, HistoryRow, HomeAssistant } from "../relay/ports.ts";
import { createContexts } from "./contexts.ts";
import type { HistoryChunk, HistorySource, PastRow } from "./ports.ts";

export interface HomeAssistantSourceOptions {
  readonly homeAssistant: HomeAssistant;
  /** Its address. */
  readonly url: string;
  readonly clock: Clock;
  readonly isIncluded: EntityFilter;
  /** Default: the oldest row that the recorder still has. */
  readonly fromUs?: Microseconds | undefined;
  readonly toUs?: Microseconds | undefined;
}

const DAY_US: Microseconds = 86_400_000_000;
/** One question: so many entities over one day. A busy sensor has some ten thousand rows a day. */
const ENTITIES_PER_QUESTION = 20;
/** What is younger may not be committed yet (commit_interval is 5 s by default). */
const SETTLED_US = 30_000_000;
const BACKLOG_WAIT_MS = 120_000;
const BACKLOG_LOOK_MS = 1_000;
/** Home Assistant's recorder keeps 10 days unless told otherwise. */
const KEPT_DAYS = 10;
/** Home Assistant is from September 2013. */
const OLDEST_US: Microseconds = Date.UTC(2013, 8, 17) * 1000;
/** They hardly ever change, but each start of Home Assistant writes them down: together they show how far the recorder goes back. */
const QUIET = /^(zone|person|automation|script|scene|input_boolean|input_button|input_select|update)\./;
const QUIET_MAX = 20;

/** Everything of entities that come after `after` in this window, then the windows behind it. */
interface Position {
  readonly fromUs: Microseconds;
  readonly toUs: Microseconds;
  readonly after: string;
}

/**
 * The recorder of a running Home Assistant, asked day by day for the entities that there are now. Its unrecorded attributes and removed entities are not in it.
 * It has no contexts; whose doing a change was its logbook says, if it has one.
 */
export function createHomeAssistantSource(options: HomeAssistantSourceOptions): HistorySource {
  const { homeAssistant, url } = options;
  let session: HaSession | undefined;
  const connected = async (signal?: AbortSignal): Promise<HaSession> => {
    session ??= await homeAssistant.connect(signal);
    return session;
  };
  return {
    kind: "home-assistant",
    name: url,
    identity: new URL(url).host,
    placeName: "row",
    entityIds: async () => idsOf(await statesOf(await connected())),
    read: (position, signal) => readDays(position as Position | undefined, { ...options, connected, signal }),
    close: async () => session?.close(),
  };
}

interface Reading extends HomeAssistantSourceOptions {
  readonly connected: (signal?: AbortSignal) => Promise<HaSession>;
  readonly signal: AbortSignal;
}

async function* readDays(position: Position | undefined, reading: Reading): AsyncGenerator<HistoryChunk> {
  const { clock, signal, isIncluded } = reading;
  const session = await reading.connected(signal);
  await recorderReady(session, reading);
  const states = await statesOf(session);
  const entityIds = idsOf(states).filter(isIncluded).toSorted();
  // The recorder does not keep the attribute by which a password is known.
  const passwords = new Set(idsOf(states.filter(({ attributes }) => attributes?.mode === "password")));
  const contexts = createContexts(session, idsOf(states), isIncluded);
  const endUs = Math.min(reading.toUs ?? Number.POSITIVE_INFINITY, clock.nowMs() * 1000 - SETTLED_US);
  const startUs = position?.fromUs ?? reading.fromUs ?? (await oldestUs(session, entityIds, endUs));
  let window: Position = position ?? { fromUs: startUs, toUs: Math.min(startUs + DAY_US, endUs), after: "" };
  while (window.fromUs < endUs) {
    for (const group of groupsOf(entityIds.filter((id) => id > window.after))) {
      const { fromUs, toUs } = window;
      const found = await session.getHistory({ entityIds: group, fromUs, toUs });
      window = { fromUs, toUs, after: group.at(-1) ?? "" };
      const contextOf = found.size > 0 ? await contexts.of({ fromUs, toUs }) : () => undefined;
      const rows = group.flatMap((entityId) =>
        (found.get(entityId) ?? []).map((row): PastRow => {
          const { lastChangedUs, lastUpdatedUs: atUs } = row;
          const context = contextOf({ entityId, atUs, isAttributes: lastChangedUs !== atUs });
          return { ...pastOf(entityId, row), isPassword: passwords.has(entityId), ...(context && { context }) };
        }),
      );
      yield { rows, rejected: [], position: window, fraction: (fromUs - startUs) / (endUs - startUs) };
    }
    window = { fromUs: window.toUs, toUs: Math.min(window.toUs + DAY_US, endUs), after: "" };
    yield { rows: [], rejected: [], position: window, fraction: (window.fromUs - startUs) / (endUs - startUs) };
  }
}

const pastOf = (entityId: string, { state, attributes, lastChangedUs, lastUpdatedUs }: HistoryRow): PastRow => ({
  entityId,
  state,
  attributes,
  atUs: lastUpdatedUs,
  ...(state !== null && { lastChangedUs }),
});

function groupsOf(ids: readonly string[]): string[][] {
  const count = Math.ceil(ids.length / ENTITIES_PER_QUESTION);
  return Array.from({ length: count }, (_, at) =>
    ids.slice(at * ENTITIES_PER_QUESTION, (at + 1) * ENTITIES_PER_QUESTION),
  );
}

interface LooseState {
  readonly entity_id?: unknown;
  readonly attributes?: { readonly mode?: unknown } | undefined;
}

const statesOf = async (session: HaSession) => (await session.getStates()) as readonly LooseState[];

const idsOf = (states: readonly LooseState[]): string[] =>
  states.map(({ entity_id }) => entity_id).filter((id): id is string => typeof id === "string");

/** While the recorder is behind, it answers with a part and does not say so. */
async function recorderReady(session: HaSession, { clock, signal, url }: Reading): Promise<void> {
  const untilMs = clock.monotonicMs() + BACKLOG_WAIT_MS;
  for (;;) {
    const recorder = await session.getRecorder();
    if (!recorder) {
      throw new HearthlineError(
        "history_unreadable",
        `The Home Assistant at "${url}" has no recorder: it keeps no history.`,
      );
    }
    if (recorder.backlog === 0 || signal.aborted) return;
    if (clock.monotonicMs() > untilMs) {
      throw new HearthlineError(
        "history_busy",
        `The recorder of the Home Assistant at "${url}" is ${recorder.backlog} events behind and did not catch up within ${BACKLOG_WAIT_MS / 1000} s; run the import again later.`,
      );
    }
    await clock.sleep(BACKLOG_LOOK_MS, signal);
  }
}

const NONE: Awaited<ReturnType<HaSession["getHistory"]>> = new Map();

/** How far the recorder goes back: no command says so. */
async function oldestUs(session: HaSession, entityIds: readonly string[], endUs: Microseconds): Promise<Microseconds> {
  const quiet = entityIds.filter((id) => QUIET.test(id)).slice(0, QUIET_MAX);
  // Home Assistant answers a question about no entity with an error.
  const found =
    quiet.length > 0 ? await session.getHistory({ entityIds: quiet, fromUs: OLDEST_US, toUs: endUs }) : NONE;
  const seen = [...found.values()].flatMap((rows) => rows[0]?.lastUpdatedUs ?? []);
  let fromUs = Math.min(endUs - KEPT_DAYS * DAY_US, ...seen);
  // The quiet ones may have been silent for a while: on until a day is empty for all.
  while (fromUs > OLDEST_US && (await hasRows(session, entityIds, { fromUs: fromUs - DAY_US, toUs: fromUs }))) {
    fromUs -= DAY_US;
  }
  return fromUs;
}

async function hasRows(
  session: HaSession,
  entityIds: readonly string[],
  span: { readonly fromUs: Microseconds; readonly toUs: Microseconds },
): Promise<boolean> {
  for (const group of groupsOf(entityIds)) {
    if ((await session.getHistory({ entityIds: group, ...span })).size > 0) return true;
  }
  return false;
}
