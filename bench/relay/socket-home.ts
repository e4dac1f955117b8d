import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";
import { seededRandom } from "../../lib/base/random.ts";
import { homeEvents } from "./events.ts";

const DIFFERENT_EVENTS = 20_000;
/** Frames go on when less than this waits for the socket. */
const BUFFERED_MAX_BYTES = 1_048_576;

const CONFIG = { state: "RUNNING", version: "2026.11.0", location_name: "Home", time_zone: "UTC" };

/** What a relay asks at the beginning, answered by a home that has no past: it only fires. */
function resultOf({ type }: { type?: string }): unknown {
  if (type === "get_config") return CONFIG;
  if (type === "recorder/info") return { recording: true, backlog: 0 };
  if (type === "get_states" || type?.endsWith("/list")) return [];
  return type === "subscribe_events" ? null : {};
}

export interface Fire {
  readonly count: number;
  /** An upper bound. */
  readonly perSecond: number;
  /** Home Assistant sends lists of events when it is busy; at most so many here. */
  readonly frameEvents: number;
  readonly onEachMillion?: (fired: number) => void;
}

/** A Home Assistant on a real WebSocket that fires `state_changed` as fast as it is told. */
export interface SocketHome {
  readonly url: string;
  /** Resolves when the relay has subscribed. */
  readonly subscribed: Promise<unknown>;
  /** Resolves when all are sent. @throws Error when the relay hangs up */
  fire(fire: Fire): Promise<void>;
  close(): void;
}

export async function startSocketHome(): Promise<SocketHome> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const subscribed = Promise.withResolvers<{ socket: WebSocket; id: number }>();
  server.on("connection", (socket) => {
    socket.send(JSON.stringify({ type: "auth_required", ha_version: CONFIG.version }));
    socket.on("message", (data) => {
      const message = JSON.parse(String(data)) as { id?: number; type?: string; event_type?: string };
      if (message.type === "auth") return socket.send(JSON.stringify({ type: "auth_ok", ha_version: CONFIG.version }));
      if (message.type === "ping") return socket.send(JSON.stringify({ id: message.id, type: "pong" }));
      socket.send(JSON.stringify({ id: message.id, type: "result", success: true, result: resultOf(message) }));
      if (message.event_type === "state_changed") subscribed.resolve({ socket, id: message.id ?? 0 });
    });
  });
  const events = homeEvents(DIFFERENT_EVENTS, seededRandom(2));

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    subscribed: subscribed.promise,
    async fire({ count, perSecond, frameEvents, onEachMillion }) {
      const { socket, id } = await subscribed.promise;
      const messages = events.map((event) => ({ id, type: "event", event }));
      const frames = Array.from({ length: DIFFERENT_EVENTS / frameEvents }, (_, frame) =>
        JSON.stringify(messages.slice(frame * frameEvents, (frame + 1) * frameEvents)),
      );
      const startedMs = performance.now();
      let fired = 0;
      while (fired < count && socket.readyState === WebSocket.OPEN) {
        const dueMs = startedMs + (fired / perSecond) * 1_000 - performance.now();
        if (dueMs > 0 || socket.bufferedAmount > BUFFERED_MAX_BYTES) {
          await new Promise((done) => setTimeout(done, Math.max(1, dueMs)));
          continue;
        }
        socket.send(frames[(fired / frameEvents) % frames.length] ?? "[]");
        fired += frameEvents;
        if (fired % 1_000_000 < frameEvents) onEachMillion?.(fired);
      }
      if (fired < count) throw new Error(`The relay left after ${fired} of ${count} events.`);
    },
    close() {
      for (const socket of server.clients) socket.terminate();
      server.close();
    },
  };
}
