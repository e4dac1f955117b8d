import { createDynamodbDeviceIndex } from "../adapters/dynamodb/device-index.ts";
import { createDynamodbPatternStore } from "../adapters/dynamodb/patterns.ts";
import { createDynamodbSuggestionStore } from "../adapters/dynamodb/suggestions.ts";
import { createDynamodbUtilisationStore } from "../adapters/dynamodb/utilisation.ts";
import { createOpenaiWriter } from "../adapters/openai/writer.ts";
import type { Phase } from "../analysis/index.ts";
import { createLogger } from "../base/log.ts";
import { createEntityFilter } from "../relay/index.ts";
import type { EventStore } from "../store/ports.ts";
import { createWatch, suggestionsPhase } from "../suggestions/index.ts";
import type { Writer } from "../suggestions/ports.ts";
import type { Cloud } from "./aws.ts";
import type { Config } from "./config.ts";
import { createCloudHouse } from "./house.ts";

/** Ten calls of ten seconds, and then some. */
const BUDGET_MS = 120_000;

/** The phase that makes suggestions of a day's job. */
export function createSuggestionsPhase(cloud: Cloud, events: Pick<EventStore, "range">): Phase {
  const { config, table, clock } = cloud;
  const isWanted = createEntityFilter([], config.HEARTHLINE_SUGGEST_EXCLUDE);
  const writer = writerOf(config);
  const suggestions = createDynamodbSuggestionStore(table);
  const index = createDynamodbDeviceIndex(table);
  return suggestionsPhase({
    patterns: createDynamodbPatternStore(table),
    utilisation: createDynamodbUtilisationStore(table),
    suggestions,
    index,
    watch: createWatch({ suggestions, index, events, clock, again: createCloudHouse(cloud).tell }),
    excluded: (entityId) => !isWanted(entityId),
    log: createLogger({ level: config.HEARTHLINE_LOG_LEVEL, fields: { function: "analyze" } }),
    budgetMs: BUDGET_MS,
    clock,
    ...(writer && { writer }),
  });
}

function writerOf(config: Config): Writer | undefined {
  const { HEARTHLINE_OPENAI_BASE_URL: baseUrl, HEARTHLINE_OPENAI_MODEL: model } = config;
  if (baseUrl === undefined || model === undefined) return undefined;
  const apiKey = config.HEARTHLINE_OPENAI_API_KEY;
  return createOpenaiWriter({ baseUrl, model, ...(apiKey !== undefined && { apiKey }) });
}
