import { DatabaseSync } from "node:sqlite";
import { floatSecondsToUs, formatIsoUs, type Microseconds, parseIsoUs } from "../../lib/base/time.ts";

/** What a home itself knows to have happened: a row of its recorder, a line of its log. */
export interface Happened {
  readonly entityId: string;
  readonly atUs: Microseconds;
  /** Null: the entity was removed. */
  readonly state: string | null;
  readonly attributes?: Readonly<Record<string, unknown>>;
}

/** Both ends included. */
export interface Span {
  readonly fromUs: Microseconds;
  readonly toUs: Microseconds;
}

interface Row {
  readonly entity_id: string;
  readonly state: string | null;
  readonly last_updated_ts: number;
  readonly shared_attrs: string | null;
}

/** Every state that Home Assistant's recorder has committed to this folder's database, in the order of writing. A removal is a row without a state. */
export function readRecorder(folder: string): Happened[] {
  const rows = query<Row>(
    folder,
    `SELECT m.entity_id, s.state, s.last_updated_ts, a.shared_attrs FROM states s
     JOIN states_meta m ON m.metadata_id = s.metadata_id LEFT JOIN state_attributes a ON a.attributes_id = s.attributes_id
     ORDER BY s.state_id`,
  );
  return rows.map(({ entity_id, state, last_updated_ts, shared_attrs }) => ({
    entityId: entity_id,
    atUs: floatSecondsToUs(last_updated_ts),
    state,
    attributes: JSON.parse(shared_attrs ?? "{}") as Record<string, unknown>,
  }));
}

/** When the recorder was not there: it begins after the first entities (half a second, 2024.3.3), whose first states are in no row. */
export function unrecorded(folder: string): Span[] {
  const runs = query<Run>(folder, "SELECT start, end FROM recorder_runs ORDER BY run_id");
  const usOf = (text: string): Microseconds => parseIsoUs(`${text}+00:00`);
  return runs.map(({ start }, at) => ({ fromUs: usOf(runs[at - 1]?.end ?? "1970-01-01 00:00:00"), toUs: usOf(start) }));
}

interface Run {
  readonly start: string;
  /** Null when it was not ended cleanly, or has not ended. */
  readonly end: string | null;
}

function query<T>(folder: string, sql: string): T[] {
  const database = new DatabaseSync(`${folder}/home-assistant_v2.db`, { readOnly: true, timeout: 5_000 });
  try {
    return database.prepare(sql).all() as T[];
  } finally {
    database.close();
  }
}

type WireEvent = Readonly<Record<string, unknown>>;

const REMOVED = "(removed)";
const happenedText = ({ entityId, atUs, state }: Happened): string =>
  `${entityId} ${formatIsoUs(atUs)} ${state ?? REMOVED}`;
const eventText = ({ entity_id, last_updated, kind, state }: WireEvent): string =>
  `${entity_id} ${last_updated} ${kind === "removed" ? REMOVED : state}`;

export interface Differences {
  /** In the truth, not in the API. */
  readonly missing: readonly string[];
  /** In the API, not in the truth. */
  readonly invented: readonly string[];
  /** More than once in the API. */
  readonly repeated: readonly string[];
}

export interface Excuses {
  /** When the relay was not, or not surely, subscribed. */
  readonly unheard?: readonly Span[];
  /** When the truth was not written down. */
  readonly unrecorded?: readonly Span[];
}

/**
 * Compares event for event, as text: entity, time with six decimals, state.
 * What a relay that was away cannot know is no difference: of each entity, in each unheard span, one run of rows that does not reach the span's last
 * (that one the snapshot brings), unless the last is a removal, of which a snapshot says nothing. What happened while nobody wrote it down is not invented.
 */
export function differences(
  truth: readonly Happened[],
  events: readonly WireEvent[],
  { unheard = [], unrecorded = [] }: Excuses = {},
): Differences {
  const told = events.map(eventText);
  const present = new Set<string>();
  const repeated = told.filter((text) => present.size === present.add(text).size);
  const excused = new Set(unheard.flatMap((span) => excusedIn(span, truth, present)));
  const known = new Set(truth.map(happenedText));
  const isExcused = (event: WireEvent) => {
    const atUs = parseIsoUs(String(event.last_updated));
    return unrecorded.some(({ fromUs, toUs }) => atUs >= fromUs && atUs <= toUs);
  };
  return {
    missing: [...known].filter((text) => !present.has(text) && !excused.has(text)),
    invented: events.filter((event) => !known.has(eventText(event)) && !isExcused(event)).map(eventText),
    repeated,
  };
}

function excusedIn({ fromUs, toUs }: Span, truth: readonly Happened[], present: ReadonlySet<string>): string[] {
  const within = truth.filter(({ atUs }) => atUs >= fromUs && atUs <= toUs);
  return [...Map.groupBy(within, ({ entityId }) => entityId).values()].flatMap((rows) => {
    const texts = rows.toSorted((a, b) => a.atUs - b.atUs).map(happenedText);
    const first = texts.findIndex((text) => !present.has(text));
    if (first === -1) return [];
    const heardAgain = texts.findIndex((text, at) => at > first && present.has(text));
    if (heardAgain !== -1) return texts.slice(first, heardAgain);
    return texts.at(-1)?.endsWith(REMOVED) ? texts.slice(first) : texts.slice(first, -1);
  });
}
