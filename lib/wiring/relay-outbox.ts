import { createOutboxFeed } from "../adapters/hearthline/outbox-feed.ts";
import { createHaAutomations } from "../adapters/homeassistant/automations.ts";
import { createMqttBroker } from "../adapters/mqtt/broker.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import { availabilityTopic } from "../event/index.ts";
import { createOutboxRunner, type OutboxRunner, type OutboxRunnerOptions } from "../relay/index.ts";
import type { Config } from "./config.ts";

export interface RelayOutboxOptions extends Pick<OutboxRunnerOptions, "append" | "turnSink" | "refetch"> {
  readonly config: Config;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** Whether the relay has an outbox, and a broker for it. */
export const canPublish = (config: Config): boolean =>
  [config.HEARTHLINE_URL, config.HEARTHLINE_TOKEN, config.HEARTHLINE_MQTT_URL].every((set) => set !== undefined);

/** The relay's outbox, when it has an address and a token; otherwise nothing, which is said. Without a broker it writes automations only. */
export function createRelayOutbox({
  config,
  clock,
  random,
  log,
  append,
  turnSink,
  refetch,
}: RelayOutboxOptions): OutboxRunner | undefined {
  const { HEARTHLINE_MQTT_URL: mqttUrl, HEARTHLINE_URL: url, HEARTHLINE_TOKEN: token } = config;
  if (url === undefined || token === undefined) {
    const missing = Object.entries({ HEARTHLINE_URL: url, HEARTHLINE_TOKEN: token })
      .filter(([, value]) => value === undefined)
      .map(([name]) => name);
    // Who has a broker, or one of the two, and no outbox has forgotten something.
    const level = mqttUrl === undefined && missing.length > 1 ? "info" : "warn";
    log[level](`The outbox is off: ${missing.join(" and ")} ${missing.length > 1 ? "are" : "is"} not set.`);
    return undefined;
  }
  if (mqttUrl === undefined) log.info("Nothing is published in the house: HEARTHLINE_MQTT_URL is not set.");
  const topic = availabilityTopic(config.HEARTHLINE_HOME_ID);
  const broker = mqttUrl && createMqttBroker({ url: mqttUrl, clock, random, availabilityTopic: topic });
  const automations = automationsOf(config, clock);
  return createOutboxRunner({
    feed: createOutboxFeed({ url: url.replace(/\/+$/, ""), token }),
    ...(broker && { broker }),
    ...(automations && { automations }),
    baseTopics: config.HEARTHLINE_ZIGBEE2MQTT_BASE_TOPIC,
    intervalSeconds: config.HEARTHLINE_OUTBOX_SECONDS,
    append,
    turnSink,
    refetch,
    clock,
    random,
    log,
  });
}

function automationsOf(config: Config, clock: Clock) {
  const { HEARTHLINE_HA_URL: url, HEARTHLINE_HA_TOKEN: token, HEARTHLINE_WRITE_AUTOMATIONS: isWanted } = config;
  if (!isWanted || url === undefined || token === undefined) return undefined;
  return createHaAutomations({ url, token, clock });
}
