import type { Clock } from "../base/clock.ts";
import type { ErrorCode } from "../base/errors.ts";
import {
  type BatchOrigin,
  coversRange,
  deadRecords,
  EARLIEST_EVENT_US,
  type HomeKeys,
  type Ledger,
  packBatch,
  type Queue,
  type QueueMessage,
  type RejectedRecord,
  readRecords,
} from "../ingest/index.ts";
import { type EnrichedGroup, enrichGroup } from "./home-group.ts";
import type { HomeViews } from "./home-view.ts";
import { asDuplicate, type RecordedSequences, recordSequences, type Work } from "./record-sequences.ts";
import { type EventsMessage, type Failures, type TakenMessage, takeMessages } from "./take-messages.ts";

export interface EnrichPorts {
  readonly keys: Pick<HomeKeys, "find">;
  readonly ledger: Pick<Ledger, "arrived" | "record">;
  readonly views: HomeViews;
  readonly store: Queue;
  readonly index: Queue;
  readonly dead: Queue;
  readonly clock: Pick<Clock, "nowMs">;
}

export interface EnrichOptions {
  /** Events later than so many seconds from now are set aside. */
  readonly futureSeconds: number;
  readonly withWeather: boolean;
}

/** What became of a batch. Counts are of records unless they say otherwise. */
export interface EnrichResult extends RecordedSequences {
  /** Messages that shall come again, with why. */
  readonly failures: ReadonlyMap<string, unknown>;
  readonly envelopes: number;
  readonly deadEnvelopes: number;
  readonly duplicateEnvelopes: number;
  readonly events: number;
  readonly rejected: number;
  /** How many envelopes and records were set aside, by code. */
  readonly reasons: Readonly<Partial<Record<ErrorCode, number>>>;
  readonly storeMessages: number;
  readonly indexMessages: number;
}

/**
 * Takes a batch of the events queue through: open, drop duplicates, check each record, enrich, send on, and only then record the sequence. So a crash anywhere
 * costs nothing but doing it again, and stores upsert by natural key. A message fails alone as far as it can: by itself while it is opened, with its home
 * while its home's view is read, with the batch when a queue is away.
 */
export async function enrichBatch(
  messages: readonly EventsMessage[],
  ports: EnrichPorts,
  options: EnrichOptions,
): Promise<EnrichResult> {
  const failures: Failures = new Map();
  const { taken, duplicates, twins, deadCodes } = await takeMessages(messages, ports, failures);
  const times = { fromUs: EARLIEST_EVENT_US, toUs: (ports.clock.nowMs() + options.futureSeconds * 1000) * 1000 };
  const work = taken.map((message): Work => {
    const { first, last } = message.envelope;
    const read = readRecords(message.lines, { first, last, times });
    return { ...message, read, rejected: read.rejected };
  });
  const outgoing = await enrichHomes(work, { ports, options, failures });
  for (const message of work) message.rejected = message.rejected.filter((one) => isNew(message, one));
  // Set aside last: stores take the same event again without a trace, a dead-letter queue does not.
  await sendOn(outgoing, work, { ports, failures });
  await sendDead(work, ports, failures);
  const rejectedCodes = work.flatMap(({ rejected }) => rejected.map(({ code }) => code));
  const rows = await recordSequences([...work, ...duplicates.map(asDuplicate)], ports.ledger, failures);
  for (const [messageId, twinOf] of twins) if (failures.has(twinOf)) failures.set(messageId, failures.get(twinOf));
  return {
    failures,
    envelopes: work.length,
    deadEnvelopes: deadCodes.length,
    duplicateEnvelopes: duplicates.length + twins.size,
    events: outgoing.events,
    rejected: rejectedCodes.length,
    reasons: countsOf([...deadCodes, ...rejectedCodes]),
    storeMessages: outgoing.store.length,
    indexMessages: outgoing.index.length,
    ...rows,
  };
}

function countsOf(codes: readonly ErrorCode[]): Partial<Record<ErrorCode, number>> {
  const counts: Partial<Record<ErrorCode, number>> = {};
  for (const code of codes) counts[code] = (counts[code] ?? 0) + 1;
  return counts;
}

interface Around {
  readonly ports: EnrichPorts;
  readonly options: EnrichOptions;
  readonly failures: Failures;
}

interface Outgoing {
  readonly store: QueueMessage[];
  readonly index: QueueMessage[];
  events: number;
}

async function enrichHomes(work: readonly Work[], { ports, options, failures }: Around): Promise<Outgoing> {
  const outgoing: Outgoing = { store: [], index: [], events: 0 };
  const homes = Map.groupBy(work, (message) => message.envelope.home_id);
  await Promise.all(
    [...homes].map(async ([homeId, ofHome]) => {
      try {
        const view = await ports.views.of(homeId, entityIdsOf(ofHome));
        // While relays change from one key to the next, each key's by itself: what follows is told by it from a later home of the same name.
        for (const [keyId, ofKey] of Map.groupBy(ofHome, ({ key }) => key.id)) {
          const group = ofKey.map(({ messageId, envelope, read }) => ({
            messageId,
            relayId: envelope.relay_id,
            records: read.records,
          }));
          const enriched = enrichGroup(group, { homeId, view, withWeather: options.withWeather });
          addTo(outgoing, { homeId, keyId }, ofKey, enriched);
        }
      } catch (thrown) {
        for (const { messageId } of ofHome) failures.set(messageId, thrown);
      }
    }),
  );
  return outgoing;
}

function addTo(
  outgoing: Outgoing,
  origin: BatchOrigin,
  work: readonly Work[],
  { events, indexEntries, failed }: EnrichedGroup,
): void {
  for (const message of work) message.rejected = [...message.rejected, ...(failed.get(message.messageId) ?? [])];
  outgoing.store.push(...packBatch(origin, events).map((body) => ({ body })));
  outgoing.index.push(...packBatch(origin, indexEntries).map((body) => ({ body })));
  outgoing.events += events.length;
}

function* entityIdsOf(work: readonly Work[]): Generator<string> {
  for (const { read } of work) for (const { record } of read.records) if ("entity_id" in record) yield record.entity_id;
}

/** A wrong record that came in another envelope before was set aside then. */
const isNew = ({ arrived }: TakenMessage, { place }: RejectedRecord): boolean =>
  place === undefined || !coversRange(arrived, [place, place]);

/** Each message's own, so that one that cannot be set aside holds up no other. */
async function sendDead(work: readonly Work[], { dead, clock }: EnrichPorts, failures: Failures): Promise<void> {
  const sentAt = new Date(clock.nowMs()).toISOString();
  await Promise.all(
    work.map(async ({ messageId, envelope, key, rejected }) => {
      if (rejected.length === 0 || failures.has(messageId)) return;
      const home = { homeId: envelope.home_id, relayId: envelope.relay_id, key, sentAt };
      try {
        await dead.send(deadRecords(rejected, home));
      } catch (thrown) {
        failures.set(messageId, thrown);
      }
    }),
  );
}

async function sendOn(
  outgoing: Outgoing,
  work: readonly Work[],
  { ports, failures }: Omit<Around, "options">,
): Promise<void> {
  try {
    await Promise.all([ports.store.send(outgoing.store), ports.index.send(outgoing.index)]);
  } catch (thrown) {
    for (const { messageId } of work) if (!failures.has(messageId)) failures.set(messageId, thrown);
  }
}
