import { HearthlineError } from "../../base/errors.ts";
import {
  automationIdSchema,
  automationSchema,
  OUTBOX_ERROR_MAX_CHARACTERS,
  type OutboxOutcome,
  topicProblem,
} from "../../event/index.ts";
import type { AutomationFile, MessageBroker, OutboxWork } from "./ports.ts";

/** What the home has. */
interface Parts {
  readonly broker?: MessageBroker;
  readonly automations?: AutomationFile;
}

const UNKNOWN_KIND = "The relay does not know this kind of item; wanted is a relay as new as the cloud.";

const NOT_ALLOWED =
  "The owner of this home does not want automations to be written: HEARTHLINE_WRITE_AUTOMATIONS is no. The suggestion's YAML can be pasted into Home Assistant's editor.";
const NO_BROKER =
  "This relay knows no MQTT broker; wanted is HEARTHLINE_MQTT_URL, where what Hearthline says is to appear in Home Assistant.";

/** Of an item that must not be done: the relay does not trust the cloud with the house. */
export function refusal(item: OutboxWork, { broker, automations }: Parts): OutboxOutcome | undefined {
  if (item.kind === "unknown") return failedBy(new HearthlineError("outbox_item_malformed", UNKNOWN_KIND), 0);
  const problem = problemOf(item);
  if (problem) return failedBy(new HearthlineError("outbox_item_malformed", `The item cannot be done: ${problem}.`), 0);
  if (item.kind === "sink" || item.kind === "refetch") return undefined;
  if (item.kind === "automation")
    return automations ? undefined : failedBy(new HearthlineError("automation_not_allowed", NOT_ALLOWED), 0);
  return broker ? undefined : failedBy(new HearthlineError("mqtt_not_set", NO_BROKER), 0);
}

function problemOf({ kind, message, automation, sink, refetch }: OutboxWork): string | undefined {
  if (kind === "mqtt") return message ? topicProblem(message.topic, message.payload) : "it is malformed";
  if (kind === "capabilities") return undefined;
  if (kind === "refetch") return refetch ? undefined : "it is malformed";
  if (kind === "sink") return sink ? undefined : "it is malformed";
  const isOurs =
    automationIdSchema.safeParse(automation?.id).success &&
    automationSchema.nullable().safeParse(automation?.config).success;
  return isOurs ? undefined : "it is no automation of Hearthline's, or does what none of them does";
}

/** The outcome of what can never be done. */
export const failedBy = ({ code, message }: HearthlineError, attempts: number): OutboxOutcome => ({
  status: "failed",
  attempts,
  error: `${code}: ${message}`.slice(0, OUTBOX_ERROR_MAX_CHARACTERS),
});
