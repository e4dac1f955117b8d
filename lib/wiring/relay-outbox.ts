import { createOutboxFeed } from "../adapters/hearthline/outbox-feed.ts";
import { createMqttBroker } from "../adapters/mqtt/broker.ts";
import type { Clock } from "../base/clock.ts";
import type { Logger } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import { createOutboxRunner, type OutboxRunner, type OutboxRunnerOptions } from "../relay/index.ts";
import type { Config } from "./config.ts";

export interface RelayOutboxOptions extends Pick<OutboxRunnerOptions, "append"> {
  readonly config: Config;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** The relay's outbox, when its three settings are there; otherwise nothing, which is said. */
export function createRelayOutbox({
  config,
  clock,
  random,
  log,
  append,
}: RelayOutboxOptions): OutboxRunner | undefined {
  const { HEARTHLINE_MQTT_URL: mqttUrl, HEARTHLINE_URL: url, HEARTHLINE_TOKEN: token } = config;
  if (mqttUrl === undefined || url === undefined || token === undefined) {
    const missing = Object.entries({ HEARTHLINE_MQTT_URL: mqttUrl, HEARTHLINE_URL: url, HEARTHLINE_TOKEN: token })
      .filter(([, value]) => value === undefined)
      .map(([name]) => name);
    // Who has a broker and no outbox has forgotten something; most homes have no broker.
    const level = mqttUrl === undefined ? "info" : "warn";
    log[level](`The outbox is off: ${missing.join(" and ")} ${missing.length > 1 ? "are" : "is"} not set.`);
    return undefined;
  }
  return createOutboxRunner({
    feed: createOutboxFeed({ url: url.replace(/\/+$/, ""), token }),
    broker: createMqttBroker({ url: mqttUrl, clock, random }),
    baseTopics: config.HEARTHLINE_ZIGBEE2MQTT_BASE_TOPIC,
    intervalSeconds: config.HEARTHLINE_OUTBOX_SECONDS,
    append,
    clock,
    random,
    log,
  });
}
