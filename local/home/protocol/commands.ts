import type { HomeCore } from "../live/home-core.ts";
import { stateJson } from "../live/states.ts";
import { CommandError } from "./answers.ts";
import { configOf } from "./config.ts";
import { historyDuringPeriod } from "./history.ts";
import { logbookEvents } from "./logbook.ts";
import { registryCommands } from "./registry-commands.ts";
import { callService, SERVICES } from "./services.ts";
import { statisticsDuringPeriod } from "./statistics.ts";
import type { Handler, Message, Reply } from "./wire.ts";

const NOTHING: Reply = { json: "null" };

const supportedFeatures: Handler = ({ connection, message }) => {
  const features = message.features as { coalesce_messages?: unknown } | undefined;
  connection.coalesce(Boolean(features?.coalesce_messages));
  return NOTHING;
};

const subscribeEvents: Handler = ({ core, connection, message, id, event }) => {
  const type = message.event_type;
  if (type !== undefined && typeof type !== "string")
    throw new CommandError("invalid_format", `expected str at 'event_type'. Got ${JSON.stringify(type)}`);
  const end = core.bus.listen(type === "*" ? undefined : type, event);
  connection.subscriptions.set(id, end);
  return NOTHING;
};

const unsubscribeEvents: Handler = ({ connection, message }) => {
  const end = connection.subscriptions.get(Number(message.subscription));
  if (!end) throw new CommandError("not_found", "Subscription not found.");
  connection.subscriptions.delete(Number(message.subscription));
  end();
  return NOTHING;
};

/** All states as one JSON array, also for `/api/states`. */
export const statesJson = (core: HomeCore): string =>
  `[${[...core.states.all()].map((record) => stateJson(record, core.flavour)).join(",")}]`;

const recorderInfo: Handler = ({ core }) => ({
  json: JSON.stringify({
    // What its thread has not taken yet; what it has taken waits for the commit and is no backlog.
    backlog: Number.isFinite(core.recorderRowsPerSecond) ? core.recorder.backlog() : 0,
    ...(core.flavour.hasLastReported && { db_in_default_location: true }),
    max_backlog: 65_000,
    migration_in_progress: false,
    migration_is_live: false,
    recording: true,
    thread_running: true,
  }),
});

const service: Handler = ({ core, message }) => {
  const { domain, service: name } = message;
  const context = callService(core, { domain: String(domain), service: String(name), message });
  const { id, parent_id, user_id } = context;
  return { json: JSON.stringify({ context: { id, parent_id, user_id }, response: null }) };
};

const currentUser: Handler = ({ core }) => ({
  json: JSON.stringify({
    id: core.house.userId,
    name: "relay",
    is_owner: true,
    is_admin: true,
    credentials: [],
    mfa_modules: [],
  }),
});

/** Every command that is answered; any other is `unknown_command`. */
export const COMMANDS: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ["supported_features", supportedFeatures],
  ["subscribe_events", subscribeEvents],
  ["unsubscribe_events", unsubscribeEvents],
  ["get_states", ({ core }) => ({ json: statesJson(core) })],
  ["get_config", ({ core }) => ({ json: JSON.stringify(configOf(core)) })],
  ["get_services", () => ({ json: JSON.stringify(SERVICES) })],
  ["call_service", service],
  ["auth/current_user", currentUser],
  ["recorder/info", recorderInfo],
  ["history/history_during_period", ({ core, message }) => ({ json: historyDuringPeriod(core, message) })],
  ["logbook/get_events", ({ core, message }) => ({ json: JSON.stringify(logbookEvents(core, message)) })],
  ["recorder/statistics_during_period", ({ core, message }) => ({ json: statisticsDuringPeriod(core, message) })],
  ...registryCommands(),
]);

const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  supported_features: ["features"],
  unsubscribe_events: ["subscription"],
  call_service: ["domain", "service"],
  "history/history_during_period": ["start_time", "entity_ids"],
  "logbook/get_events": ["start_time"],
  "recorder/statistics_during_period": ["start_time", "statistic_ids", "period"],
};

/** The first key that a command needs and does not have. */
export const missingKeyOf = (type: string, message: Message): string | undefined =>
  REQUIRED[type]?.find((key) => message[key] === undefined);
