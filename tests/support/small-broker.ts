import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";

/** What the broker does with a packet; by default nothing. Packet types are MQTT's: 1 CONNECT, 3 PUBLISH, 8 SUBSCRIBE, 14 DISCONNECT. */
export interface Packet {
  readonly type: number;
  /** The first byte's lower half. */
  readonly flags: number;
  readonly body: Buffer;
  /** Of a CONNECT. */
  readonly version: number;
  /** Of a PUBLISH with QoS 1 and of a SUBSCRIBE. */
  readonly id: Buffer;
  readonly socket: Socket;
}

/** A broker of bytes that does what no real one would do when asked: silent, refusing, old. Answers of its own are bytes of MQTT 5.0 unless a test says otherwise. */
export async function smallBroker(onPacket: (packet: Packet) => void, tls?: TlsOptions) {
  const sockets = new Set<Socket>();
  const take = (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    let buffered: Buffer = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      buffered = Buffer.concat([buffered, chunk]);
      for (let packet = packetOf(buffered, socket); packet; packet = packetOf(buffered, socket)) {
        buffered = buffered.subarray(packet.length);
        onPacket(packet);
      }
    });
  };
  const server: Server = tls ? createTlsServer(tls, take) : createServer(take);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => sockets.size,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

function packetOf(bytes: Buffer, socket: Socket): (Packet & { readonly length: number }) | undefined {
  let size = 0;
  let at = 1;
  for (let shift = 0; ; shift += 7, at++) {
    const byte = bytes[at];
    if (byte === undefined) return undefined;
    size |= (byte & 127) << shift;
    if (byte < 128) break;
    // Longer than MQTT's lengths are: something else speaks, such as TLS.
    if (shift === 21) {
      socket.destroy();
      return undefined;
    }
  }
  const body = bytes.subarray(at + 1, at + 1 + size);
  if (body.length < size) return undefined;
  const [first = 0] = bytes;
  const type = first >> 4;
  const topicBytes = type === 3 && body.length >= 2 ? 2 + body.readUInt16BE(0) : 0;
  return {
    type,
    flags: first & 15,
    body,
    version: type === 1 ? (body[6] ?? 0) : 0,
    id: body.subarray(topicBytes, topicBytes + 2),
    socket,
    length: at + 1 + size,
  };
}

/** CONNACK: the reason, and properties as bytes. */
export const connack = (reason: number, properties: readonly number[] = []): Buffer =>
  Buffer.from([0x20, 3 + properties.length, 0, reason, properties.length, ...properties]);
/** CONNACK of MQTT 3.1.1. */
export const oldConnack = (code: number): Buffer => Buffer.from([0x20, 2, 0, code]);
export const puback = (id: Buffer, reason = 0): Buffer => Buffer.from([0x40, 4, ...id, reason, 0]);
export const oldPuback = (id: Buffer): Buffer => Buffer.from([0x40, 2, ...id]);
export const suback = (id: Buffer, reason: number): Buffer => Buffer.from([0x90, 4, ...id, 0, reason]);
export const disconnect = (reason: number): Buffer => Buffer.from([0xe0, 2, reason, 0]);
/** A short retained message. */
export const retainedMessage = (topic: string, payload: string): Buffer => {
  const name = Buffer.from(topic);
  const body = Buffer.concat([Buffer.from([0, name.length]), name, Buffer.from([0]), Buffer.from(payload)]);
  return Buffer.concat([Buffer.from([0x31, body.length]), body]);
};
