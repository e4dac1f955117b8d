import { createDynamodbDeviceIndex } from "../adapters/dynamodb/device-index.ts";
import { createDynamodbHomeKeys } from "../adapters/dynamodb/home-keys.ts";
import { createDynamodbHomePresence } from "../adapters/dynamodb/home-presence.ts";
import { createDynamodbHomeDirectory } from "../adapters/dynamodb/homes.ts";
import { createDynamodbLedger } from "../adapters/dynamodb/ledger.ts";
import { createHomeViews, type EnrichOptions, type EnrichPorts, enrichBatch } from "../enrich/index.ts";
import { cachedHomeKeys } from "../ingest/index.ts";
import { type BatchWork, logFailure, sqsFunction } from "./handler.ts";

/** What is believed for a minute may be a second old as well: it costs half, and in a fleet views are most of what `enrich` reads. */
const LAGGING = { mayLag: true };

/** The enrich function. */
export const createEnrich = sqsFunction("enrich", (cloud) => {
  const { clock, config, table } = cloud;
  const ports: EnrichPorts = {
    keys: cachedHomeKeys(createDynamodbHomeKeys(table, LAGGING), { clock }),
    ledger: createDynamodbLedger(table, createDynamodbHomePresence(table)),
    views: createHomeViews({
      index: createDynamodbDeviceIndex(table, LAGGING),
      homes: createDynamodbHomeDirectory(table, LAGGING),
      clock,
    }),
    store: cloud.queue("store"),
    index: cloud.queue("index"),
    dead: cloud.queue("events-dead"),
    clock,
  };
  return enrichWork(ports, {
    futureSeconds: config.HEARTHLINE_FUTURE_SECONDS,
    withWeather: config.HEARTHLINE_WEATHER === "home-assistant",
  });
});

/** How many relays one log line names: it is one line for a batch of any size. */
const SEQUENCES_IN_LOG = 10;

/** What `enrich` does with a batch, given its outsides. */
export function enrichWork(ports: EnrichPorts, options: EnrichOptions): BatchWork {
  return async (messages, { log, metrics, note }) => {
    const { failures, sequences, ...figures } = await enrichBatch(messages, ports, options);
    for (const message of messages) {
      if (failures.has(message.messageId)) logFailure(log, message, failures.get(message.messageId));
    }
    note({ ...figures, sequences: sequences.slice(0, SEQUENCES_IN_LOG) });
    metrics.count("EventsEnriched", figures.events);
    metrics.count("EventsRejected", figures.rejected);
    metrics.count("DeadLettered", figures.rejected + figures.deadEnvelopes);
    metrics.count("DuplicateEnvelopes", figures.duplicateEnvelopes);
    metrics.count("Interruptions", figures.interruptions);
    metrics.count("EventsRecovered", figures.recoveredEvents);
    metrics.count("EventsLost", figures.lostEvents);
    // Also 0: an alarm that hears nothing knows nothing.
    metrics.level("LedgerGap", figures.settledGap);
    return [...failures.keys()];
  };
}
