import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { createImportStates } from "../adapters/file/import-states.ts";
import { createHomeAssistant } from "../adapters/homeassistant/client.ts";
import { createInfluxSource } from "../adapters/influxdb-reader/source.ts";
import { createJsonlSource } from "../adapters/jsonl/source.ts";
import { createRecorderSource } from "../adapters/recorder/source.ts";
import { HearthlineError } from "../base/errors.ts";
import type { Microseconds } from "../base/time.ts";
import { type HomeKey, keyIdOf } from "../event/index.ts";
import {
  checkSameHome,
  createHomeAssistantSource,
  type HistorySource,
  type ImportProgress,
  type ImportSummary,
  runImport,
} from "../history/index.ts";
import { checkEvent, EARLIEST_EVENT_US } from "../ingest/index.ts";
import { createAttributeFilter, createEntityFilter, type EntityFilter } from "../relay/index.ts";
import { type Cloud, type CloudOptions, createCloud } from "./aws.ts";
import { type Config, readConfig } from "./config.ts";
import { importSink, knownOf, once } from "./history-cloud.ts";
import { readHomeKey } from "./home-key.ts";

/** Which history. `home-assistant`: the one that HEARTHLINE_HA_URL and HEARTHLINE_HA_TOKEN lead to. */
export type HistoryOrigin =
  | { readonly kind: "jsonl" | "recorder"; readonly path: string }
  | {
      readonly kind: "influxdb";
      readonly url: string;
      readonly database: string;
      readonly user?: string | undefined;
      readonly password?: string | undefined;
    }
  | { readonly kind: "home-assistant" };

export interface HistoryImportOptions extends CloudOptions {
  readonly origin: HistoryOrigin;
  /** Default: HEARTHLINE_HOME_ID. */
  readonly homeId?: string | undefined;
  /** Half-open, of `last_updated`. */
  readonly fromUs?: Microseconds | undefined;
  readonly toUs?: Microseconds | undefined;
  /** Beside HEARTHLINE_INCLUDE and HEARTHLINE_EXCLUDE, never against them. */
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly isRestart?: boolean;
  /** Also what looks like another home's. */
  readonly isForced?: boolean;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: ImportProgress) => void;
}

export interface HistoryImported extends ImportSummary {
  readonly homeId: string;
  readonly source: Pick<HistorySource, "kind" | "name" | "placeName">;
  /** By the setting as it is here: so many days the store keeps raw events. */
  readonly rawDays: number;
}

const DAY_US: Microseconds = 86_400_000_000;

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Imports a history into a home, and keeps in `DATA/import/` how far it came. @throws HearthlineError `setting_invalid`, `not_found` (no such home), `history_...`, `already_running`,
 * `data_folder_unusable`, and what reaching the history or the queues throws
 */
export async function importHistory(env: Env, options: HistoryImportOptions): Promise<HistoryImported> {
  const config = readConfig(env);
  const homeId = options.homeId ?? config.HEARTHLINE_HOME_ID;
  const cloud = createCloud(config, { ...options, env });
  const key = await keyOf(config, homeId, { ...options, env });
  const isIncluded = filterOf(config, options);
  const source = openSource(config, cloud, { ...options, isIncluded });
  try {
    const states = createImportStates(join(config.HEARTHLINE_DATA, "import"));
    const id = idOf(config, homeId, { ...options, source });
    const file = states.open(id);
    const known = once(() => knownOf(cloud, homeId));
    try {
      if (!options.isForced) {
        await checkSameHome({ homeId, source, states, knownEntities: async () => (await known()).entityIds });
      }
      const isPassword = source.kind === "recorder" ? (await known()).isPassword : undefined;
      const futureUs = config.HEARTHLINE_FUTURE_SECONDS * 1_000_000;
      const times = { fromUs: EARLIEST_EVENT_US, toUs: cloud.clock.nowMs() * 1000 + futureUs };
      const { signal, fromUs, toUs, isRestart = false, onProgress } = options;
      const { HEARTHLINE_RAW_DAYS: rawDays } = config;
      const summary = await runImport({
        ...{ homeId, key, source, file, isIncluded, fromUs, toUs, isRestart, signal, isPassword },
        ...(onProgress && { onProgress }),
        clock: cloud.clock,
        random: cloud.random,
        sink: importSink(cloud),
        travelling: createAttributeFilter(config.HEARTHLINE_EXCLUDE_ATTRIBUTES),
        check: (record) => void checkEvent(record, times),
        rawFromUs: cloud.clock.nowMs() * 1000 - rawDays * DAY_US,
        newRelayId: () => `import-${id.slice(0, 12)}-${randomBytes(4).toString("hex")}`,
      });
      const { kind, name, placeName } = source;
      return { ...summary, homeId, source: { kind, name, placeName }, rawDays };
    } finally {
      file.close();
    }
  } finally {
    await source.close();
  }
}

/** The key in the environment is the key of the home that is named there. */
async function keyOf(config: Config, homeId: string, options: CloudOptions): Promise<HomeKey> {
  const isOwn = homeId === config.HEARTHLINE_HOME_ID;
  const text =
    (isOwn ? config.HEARTHLINE_HOME_KEY : undefined) ??
    (await readHomeKey({ ...config, HEARTHLINE_HOME_ID: homeId, HEARTHLINE_HOME_KEY: undefined }, options));
  if (text === undefined) {
    throw new HearthlineError(
      "not_found",
      `A history was to be imported into the home "${homeId}", which does not exist; add it first, with: hearthline homes add ${homeId}`,
    );
  }
  const secret = Buffer.from(text, "base64");
  return { id: keyIdOf(secret), secret };
}

function filterOf(config: Config, { include = [], exclude = [] }: HistoryImportOptions): EntityFilter {
  const travels = createEntityFilter(config.HEARTHLINE_INCLUDE, config.HEARTHLINE_EXCLUDE);
  const isWanted = createEntityFilter(include, exclude);
  return (entityId) => travels(entityId) && isWanted(entityId);
}

interface SourceOptions extends HistoryImportOptions {
  readonly isIncluded: EntityFilter;
}

function openSource(config: Config, { clock }: Cloud, options: SourceOptions): HistorySource {
  const { origin, fromUs, toUs, isIncluded } = options;
  switch (origin.kind) {
    case "jsonl":
      return createJsonlSource(origin.path);
    case "recorder":
      return createRecorderSource(origin.path);
    case "influxdb":
      return createInfluxSource({ ...origin, isIncluded, fromUs, toUs });
    default: {
      const { HEARTHLINE_HA_URL: url, HEARTHLINE_HA_TOKEN: token } = config;
      if (url === undefined || token === undefined) {
        throw new HearthlineError(
          "setting_invalid",
          "No history was named, and HEARTHLINE_HA_URL or HEARTHLINE_HA_TOKEN is not set; wanted is --file, --recorder, --influxdb, or both settings for the history of the connected Home Assistant.",
        );
      }
      const homeAssistant = createHomeAssistant({ url, token, clock });
      return createHomeAssistantSource({ homeAssistant, url, clock, isIncluded, fromUs, toUs });
    }
  }
}

interface IdOptions extends HistoryImportOptions {
  readonly source: HistorySource;
}

/** Other filters or other times are another import: what was left out by the one is not done with by the other. */
function idOf(config: Config, homeId: string, { source, fromUs, toUs, include, exclude }: IdOptions): string {
  const { HEARTHLINE_INCLUDE, HEARTHLINE_EXCLUDE, HEARTHLINE_EXCLUDE_ATTRIBUTES } = config;
  const settings = [HEARTHLINE_INCLUDE, HEARTHLINE_EXCLUDE, HEARTHLINE_EXCLUDE_ATTRIBUTES];
  const all = [
    homeId,
    source.kind,
    source.identity,
    fromUs ?? null,
    toUs ?? null,
    include ?? [],
    exclude ?? [],
    settings,
  ];
  return createHash("sha256").update(JSON.stringify(all)).digest("hex").slice(0, 24);
}
