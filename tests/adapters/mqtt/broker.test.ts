import { afterEach, describe, expect, it } from "vitest";
import { createMqttBroker, type MqttBrokerOptions } from "../../../lib/adapters/mqtt/broker.ts";
import { systemClock } from "../../../lib/base/clock.ts";
import { systemRandom } from "../../../lib/base/random.ts";
import type { OutboxMessage } from "../../../lib/event/index.ts";
import { createAuthority } from "../../support/certificates.ts";
import {
  connack,
  disconnect,
  oldConnack,
  oldPuback,
  type Packet,
  puback,
  retainedMessage,
  smallBroker,
  suback,
} from "../../support/small-broker.ts";

const PASSWORD = "p%40ss-word";
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

const connectTo = (port: number, more: Partial<MqttBrokerOptions> = {}, scheme = "mqtt") =>
  createMqttBroker({
    url: `${scheme}://user:${PASSWORD}@127.0.0.1:${port}`,
    clock: systemClock,
    random: systemRandom,
    connectMs: 300,
    acknowledgeMs: 300,
    retainedMs: 100,
    ...more,
  }).connect();

/** A broker that greets and then does as told. */
async function greeting(after: (packet: Packet) => void, properties: readonly number[] = []) {
  const broker = await smallBroker((packet) => {
    if (packet.type === 1) packet.socket.write(connack(0, properties));
    else after(packet);
  });
  stops.push(broker.stop);
  return broker;
}

const message: OutboxMessage = { topic: "hearthline/a", payload: "1", qos: 1, retain: true };
const code = (name: string, fate: string) => expect.objectContaining({ code: name, fate });

describe("what is said of availability", () => {
  const availabilityTopic = "hearthline/home/availability";

  it("is online from the beginning, and offline as the last will, both kept", async () => {
    const packets: Packet[] = [];
    const broker = await smallBroker((packet) => {
      packets.push(packet);
      if (packet.type === 1) packet.socket.write(connack(0));
      if (packet.type === 3) packet.socket.write(puback(packet.id));
    });
    stops.push(broker.stop);
    const session = await connectTo(broker.port, { availabilityTopic });
    const [connect, first] = packets;
    // Flags: user, password, will retained, will QoS 1, will, clean start.
    expect(connect?.body[7]).toBe(0b1110_1110);
    expect(connect?.body.toString("latin1")).toMatch(/hearthline\/home\/availability.*offline/s);
    expect([first?.type, first?.flags]).toEqual([3, 0b0011]);
    expect(first?.body.toString("latin1")).toMatch(/hearthline\/home\/availability.*online$/s);
    await session.close();
  });

  it("is left unsaid by a user who may not say it", async () => {
    const broker = await greeting(({ type, id, socket }) => {
      if (type === 3) socket.write(puback(id, 135));
    });
    const session = await connectTo(broker.port, { availabilityTopic });
    await session.close();
  });
});

describe("the connection", () => {
  it("is made as the user of the address, and is gone when it is closed", async () => {
    let greeted: Buffer | undefined;
    const broker = await smallBroker(({ type, body, socket }) => {
      if (type === 1) greeted = body;
      if (type === 1) socket.write(connack(0));
    });
    stops.push(broker.stop);
    const session = await connectTo(broker.port);
    expect(greeted?.subarray(0, 8)).toEqual(Buffer.from([0, 4, ...Buffer.from("MQTT"), 5, 0xc2]));
    expect(greeted?.toString("latin1")).toContain("p@ss-word");
    await session.close();
    await expect(session.publish(message)).rejects.toEqual(code("mqtt_disconnected", "retry"));
  });

  it.each([134, 135, 138])("is refused for its user (reason %i), and no password is told", async (reason) => {
    const broker = await smallBroker(({ socket }) => socket.end(connack(reason)));
    stops.push(broker.stop);
    const thrown = await connectTo(broker.port).catch((error: Error) => error);
    expect(thrown).toEqual(code("mqtt_refused", "stop"));
    expect((thrown as Error).message).toContain(`127.0.0.1:${broker.port}`);
    expect((thrown as Error).message).not.toMatch(/p@ss|p%40/);
    expect(broker.connections()).toBe(1);
  });

  it("is refused for a while by a broker that is busy", async () => {
    const broker = await smallBroker(({ socket }) => socket.end(connack(137)));
    stops.push(broker.stop);
    await expect(connectTo(broker.port)).rejects.toEqual(code("mqtt_unreachable", "retry"));
  });

  it("times out at a broker that accepts and says nothing", async () => {
    const broker = await smallBroker(() => {});
    stops.push(broker.stop);
    await expect(connectTo(broker.port)).rejects.toEqual(code("mqtt_timeout", "retry"));
  });

  it("fails where nobody listens", async () => {
    const broker = await smallBroker(() => {});
    await broker.stop();
    const thrown = await connectTo(broker.port).catch((error: Error) => error);
    expect(thrown).toEqual(code("mqtt_unreachable", "retry"));
    expect((thrown as Error).message).toContain("ECONNREFUSED");
  });

  it.each([
    ["refuses the version", (packet: Packet) => packet.socket.end(oldConnack(1))],
    ["closes at the first word", (packet: Packet) => packet.socket.end()],
  ])("is made by MQTT 3.1.1 with a broker that %s", async (_, refuse) => {
    const broker = await smallBroker((packet) => {
      if (packet.version === 5) refuse(packet);
      else if (packet.type === 1) packet.socket.write(oldConnack(0));
      else if (packet.type === 3) packet.socket.write(oldPuback(packet.id));
    });
    stops.push(broker.stop);
    const session = await connectTo(broker.port);
    await session.publish(message);
    await session.close();
  });

  it("tells an old broker's refusal of the user", async () => {
    const broker = await smallBroker(({ version, socket }) => socket.end(oldConnack(version === 5 ? 1 : 4)));
    stops.push(broker.stop);
    await expect(connectTo(broker.port)).rejects.toEqual(code("mqtt_refused", "stop"));
  });

  it("wants a certificate that this machine knows, and TLS at both ends", async () => {
    const times = { notBefore: new Date("2020-01-01T00:00:00Z"), notAfter: new Date("2049-01-01T00:00:00Z") };
    const { certificate: cert, key } = createAuthority({ name: "nobody knows", ...times }).issue({
      name: "127.0.0.1",
      ...times,
    });
    const unknown = await smallBroker(({ socket }) => socket.write(connack(0)), { cert, key });
    const plain = await smallBroker(({ socket }) => socket.write(connack(0)));
    stops.push(unknown.stop, plain.stop);
    await expect(connectTo(unknown.port, { connectMs: 3_000 }, "mqtts")).rejects.toEqual(
      code("mqtt_tls_failed", "stop"),
    );
    await expect(connectTo(plain.port, {}, "mqtts")).rejects.toSatisfy((thrown: { code: string }) =>
      ["mqtt_tls_failed", "mqtt_timeout"].includes(thrown.code),
    );
    const thrown = await connectTo(unknown.port).catch((error: Error) => error);
    expect(thrown).toEqual(code("mqtt_disconnected", "retry"));
    expect((thrown as Error).message).toContain("mqtts://");
  });
});

describe("a message", () => {
  it("is published when the broker has acknowledged it, not before", async () => {
    let acknowledge = () => {};
    const broker = await greeting(({ type, flags, id, socket }) => {
      if (type !== 3) return;
      expect(flags).toBe(0b0011);
      acknowledge = () => socket.write(puback(id));
    });
    const session = await connectTo(broker.port);
    let isDone = false;
    const done = session.publish(message).then(() => {
      isDone = true;
    });
    await systemClock.sleep(50);
    expect(isDone).toBe(false);
    acknowledge();
    await done;
    await session.close();
  });

  it("may be published when nobody acknowledged it in time", async () => {
    const broker = await greeting(() => {});
    const session = await connectTo(broker.port);
    await expect(session.publish(message)).rejects.toEqual(code("mqtt_timeout", "retry"));
    await session.close();
  });

  it("may be published when the connection ended, and nobody waits for ever", async () => {
    const broker = await greeting(({ type, socket }) => type === 3 && socket.destroy());
    const session = await connectTo(broker.port, { acknowledgeMs: 60_000 });
    await expect(session.publish(message)).rejects.toEqual(code("mqtt_disconnected", "retry"));
    await expect(session.publish(message)).rejects.toEqual(code("mqtt_disconnected", "retry"));
    await session.close();
  });

  it.each([135, 144, 153])("is refused for good (reason %i)", async (reason) => {
    const broker = await greeting(({ type, id, socket }) => type === 3 && socket.write(puback(id, reason)));
    const session = await connectTo(broker.port);
    await expect(session.publish(message)).rejects.toEqual(code("mqtt_publish_refused", "dead-letter"));
    await session.close();
  });

  it("is refused for good by a broker that ends the connection for it", async () => {
    const broker = await greeting(({ type, socket }) => type === 3 && socket.end(disconnect(149)));
    const session = await connectTo(broker.port);
    await expect(session.publish(message)).rejects.toEqual(code("mqtt_publish_refused", "dead-letter"));
    await session.close();
  });

  it.each([131, 151])("may be taken later (reason %i)", async (reason) => {
    const broker = await greeting(({ type, id, socket }) => type === 3 && socket.write(puback(id, reason)));
    const session = await connectTo(broker.port);
    await expect(session.publish(message)).rejects.toEqual(code("mqtt_failed", "retry"));
    await session.close();
  });

  it("is not sent when it is larger than the broker has said that it takes", async () => {
    let came = 0;
    // Maximum Packet Size 100.
    const broker = await greeting(
      ({ type, id, socket }) => {
        if (type === 3) came += socket.write(puback(id)) ? 1 : 1;
      },
      [39, 0, 0, 0, 100],
    );
    const session = await connectTo(broker.port);
    await expect(session.publish({ ...message, payload: "x".repeat(100) })).rejects.toEqual(
      code("mqtt_publish_refused", "dead-letter"),
    );
    await session.publish(message);
    expect(came).toBe(1);
    await session.close();
  });
});

describe("what the broker keeps", () => {
  const topic = "zigbee2mqtt/bridge/devices";

  it("is what it sends after the subscription", async () => {
    const broker = await greeting(({ type, id, socket }) => {
      if (type === 8)
        socket.write(
          Buffer.concat([suback(id, 1), retainedMessage("zigbee2mqtt/x", "no"), retainedMessage(topic, "[]")]),
        );
    });
    const session = await connectTo(broker.port);
    expect((await session.retained(topic))?.toString()).toBe("[]");
    await session.close();
  });

  it("is nothing when nothing comes", async () => {
    const broker = await greeting(({ type, id, socket }) => type === 8 && socket.write(suback(id, 1)));
    const session = await connectTo(broker.port);
    expect(await session.retained(topic)).toBeUndefined();
    await session.close();
  });

  it("may be forbidden to be read", async () => {
    const broker = await greeting(({ type, id, socket }) => type === 8 && socket.write(suback(id, 135)));
    const session = await connectTo(broker.port);
    await expect(session.retained(topic)).rejects.toEqual(code("mqtt_subscribe_refused", "dead-letter"));
    await session.close();
  });

  it("is not known when the broker says nothing, or goes", async () => {
    const silent = await greeting(() => {});
    const session = await connectTo(silent.port);
    await expect(session.retained(topic)).rejects.toEqual(code("mqtt_timeout", "retry"));
    await session.close();
    const going = await greeting(({ socket }) => socket.destroy());
    const other = await connectTo(going.port);
    await expect(other.retained(topic)).rejects.toEqual(code("mqtt_disconnected", "retry"));
    await other.close();
  });
});
