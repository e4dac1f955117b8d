import type { IClientOptions, MqttClient } from "mqtt";
import type { Clock } from "../../base/clock.ts";
import { isHearthlineError } from "../../base/errors.ts";
import type { Random } from "../../base/random.ts";
import type { BrokerSession, MessageBroker } from "../../relay/outbox/ports.ts";
import { connectFailure, wantsOlderProtocol } from "./failures.ts";
import { MqttSession } from "./session.ts";

export interface MqttBrokerOptions {
  /** `mqtt://user:password@host:1883` or `mqtts://`. */
  readonly url: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Until the broker has answered. Default 10,000. */
  readonly connectMs?: number;
  /** Until a message or a subscription is acknowledged. Default 10,000. */
  readonly acknowledgeMs?: number;
  /** How long a kept message may take to come. The protocol has no word for "there is none". Default 5,000. */
  readonly retainedMs?: number;
  /**
   * Where it stands, kept by the broker, whether what this side says can be relied on: `online` from the beginning of each session, `offline` as the last will of one that broke off in the midst of
   * its batch, until the next one.
   */
  readonly availabilityTopic?: string;
}

/** No packet goes out while nothing is asked; longer than any batch waits. */
const KEEPALIVE_SECONDS = 30;
/** The client's own timer must never be first. */
const NEVER_MS = 2_147_483_647;
const DEFAULT_PORT = { "mqtt:": 1883, "mqtts:": 8883 } as const;

/**
 * The home's broker, by MQTT 5 and, where it is older, by 3.1.1. A session is clean and never comes back by itself: whoever works through a batch decides about trying again.
 * The client library (19 MB in memory, measured) is loaded at the first connection: a relay that publishes nothing does without.
 */
export function createMqttBroker(options: MqttBrokerOptions): MessageBroker {
  const address = new URL(options.url);
  const name = address.host;
  const times = { acknowledgeMs: options.acknowledgeMs ?? 10_000, retainedMs: options.retainedMs ?? 5_000 };

  async function open(protocolVersion: 4 | 5): Promise<BrokerSession> {
    const { connect } = await import("mqtt");
    const client: MqttClient = connect({ ...clientOptions(address, options), protocolVersion });
    const session = new MqttSession(client, { ...times, name, clock: options.clock });
    try {
      await session.opened(options.connectMs ?? 10_000);
      if (options.availabilityTopic !== undefined) await sayOnline(session, options.availabilityTopic);
      return session;
    } catch (thrown) {
      client.end(true);
      throw thrown;
    }
  }

  return {
    async connect() {
      try {
        return await open(5).catch((thrown) => {
          if (wantsOlderProtocol(thrown)) return open(4);
          throw thrown;
        });
      } catch (thrown) {
        throw connectFailure(name, thrown);
      }
    },
  };
}

/** A user who may not write there may write elsewhere all the same. @throws fate `retry` as `publish` */
async function sayOnline(session: BrokerSession, topic: string): Promise<void> {
  try {
    await session.publish({ topic, payload: "online", qos: 1, retain: true });
  } catch (thrown) {
    if (!isHearthlineError(thrown) || thrown.fate !== "dead-letter") throw thrown;
  }
}

function clientOptions(address: URL, { random, availabilityTopic }: MqttBrokerOptions): IClientOptions {
  const protocol = address.protocol === "mqtts:" ? "mqtts" : "mqtt";
  const unique = () => Math.floor(random() * 2 ** 32).toString(36);
  return {
    protocol,
    host: address.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: Number(address.port) || DEFAULT_PORT[`${protocol}:`],
    ...(address.username !== "" && { username: decodeURIComponent(address.username) }),
    ...(address.password !== "" && { password: decodeURIComponent(address.password) }),
    // MQTT 3.1.1 (3.1.3.1): every broker takes 23 letters and digits.
    clientId: `hearthline${unique()}${unique()}`.slice(0, 23),
    clean: true,
    ...(availabilityTopic !== undefined && {
      will: { topic: availabilityTopic, payload: Buffer.from("offline"), qos: 1 as const, retain: true },
    }),
    reconnectPeriod: 0,
    resubscribe: false,
    connectTimeout: NEVER_MS,
    keepalive: KEEPALIVE_SECONDS,
  };
}
