import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import type { HaEvent } from "../../lib/relay/ports.ts";

export interface SmallHomeAssistant {
  readonly url: string;
  readonly token: string;
  /** What get_states answers. */
  states: unknown[];
  /** Clients that have subscribed to state changes. */
  subscribers(): number;
  fire(event: HaEvent): void;
  stop(): Promise<void>;
}

/** The least of Home Assistant's WebSocket protocol that a relay needs, for tests of real relay processes. */
export async function startSmallHomeAssistant(): Promise<SmallHomeAssistant> {
  const token = "a-token-of-this-small-home-assistant";
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", path: "/api/websocket" });
  await new Promise((resolve) => server.once("listening", resolve));
  const subscribers = new Map<WebSocket, number>();
  const home: SmallHomeAssistant = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token,
    states: [],
    subscribers: () => subscribers.size,
    fire: (event) => {
      for (const [socket, id] of subscribers) socket.send(JSON.stringify({ id, type: "event", event }));
    },
    stop: () =>
      new Promise((resolve) => {
        for (const socket of server.clients) socket.terminate();
        server.close(() => resolve());
      }),
  };
  const config = { state: "RUNNING", version: "2026.11.0", location_name: "Small", time_zone: "UTC" };
  const answer = (type: string): unknown =>
    type === "get_states" ? home.states : type === "get_config" ? config : type.startsWith("config/") ? [] : null;
  server.on("connection", (socket) => {
    const say = (message: object) => socket.send(JSON.stringify(message));
    say({ type: "auth_required", ha_version: config.version });
    socket.on("close", () => subscribers.delete(socket));
    socket.on("message", (data) => {
      const message = JSON.parse(String(data)) as {
        id: number;
        type: string;
        access_token?: string;
        event_type?: string;
      };
      if (message.type === "auth") {
        if (message.access_token === token) return say({ type: "auth_ok", ha_version: config.version });
        say({ type: "auth_invalid", message: "Invalid access token or password" });
        return socket.close();
      }
      if (message.type === "ping") return say({ id: message.id, type: "pong" });
      if (message.event_type === "state_changed") subscribers.set(socket, message.id);
      return say({ id: message.id, type: "result", success: true, result: answer(message.type) });
    });
  });
  return home;
}
