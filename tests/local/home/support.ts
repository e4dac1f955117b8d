import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { WebSocket } from "ws";
import {
  createSimulatedHome,
  type SimulatedHome,
  type SimulatedHomeOptions,
} from "../../../local/home/simulated-home.ts";

/** A Sunday in November, 14:00 in Amsterdam. */
export const SUNDAY_MS = Date.UTC(2026, 10, 22, 13);

/** A folder that goes with the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "home-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A home whose time is set by hand; it ends with the test. */
export async function testHome(options: Partial<SimulatedHomeOptions> = {}): Promise<SimulatedHome> {
  const home = await createSimulatedHome({ data: temporaryFolder(), startAt: SUNDAY_MS, ...options });
  onTestFinished(() => home.stop());
  return home;
}

export type Frame = Record<string, unknown> & {
  id?: number;
  type: string;
  success?: boolean;
  result?: unknown;
  error?: { code: string; message: string };
  event?: { event_type: string; time_fired: string; data: Record<string, unknown>; context: { id: string } };
};

/** A client without any comfort: what came, as it came. */
export interface RawClient {
  readonly ws: WebSocket;
  /** Every text that came, unparsed. */
  readonly texts: string[];
  /** Every message, coalesced ones taken apart. */
  readonly frames: Frame[];
  send(message: unknown): void;
  /** Resolves with the first message, past or to come, that fits. */
  next(fits: (frame: Frame) => boolean): Promise<Frame>;
  /** Sends a command with the next id and gives its answer. */
  command(message: Record<string, unknown>): Promise<Frame>;
  readonly closed: Promise<number>;
}

export async function rawClient(url: string): Promise<RawClient> {
  const ws = new WebSocket(`${url.replace("http", "ws")}/api/websocket`);
  const [texts, frames]: [string[], Frame[]] = [[], []];
  const waiting = new Set<() => void>();
  let lastId = 0;
  const closed = new Promise<number>((resolve) => ws.on("close", resolve));
  ws.on("message", (data) => {
    const text = String(data);
    texts.push(text);
    const value = JSON.parse(text) as Frame | Frame[];
    frames.push(...(Array.isArray(value) ? value : [value]));
    for (const look of waiting) look();
  });
  const client: RawClient = {
    ws,
    texts,
    frames,
    closed,
    send: (message) => ws.send(typeof message === "string" ? message : JSON.stringify(message)),
    next: (fits) =>
      new Promise((resolve) => {
        const look = () => {
          const found = frames.find(fits);
          if (!found) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
    command(message) {
      const id = ++lastId;
      client.send({ id, ...message });
      return client.next((frame) => frame.id === id && (frame.type === "result" || frame.type === "pong"));
    },
  };
  onTestFinished(() => ws.terminate());
  const refused = new Promise<never>((_, reject) => ws.once("error", reject));
  await Promise.race([client.next((frame) => frame.type === "auth_required"), refused]);
  return client;
}

/** Connected, authenticated, ready for commands. */
export async function signedIn(home: Pick<SimulatedHome, "url" | "token">): Promise<RawClient> {
  const client = await rawClient(home.url);
  client.send({ type: "auth", access_token: home.token });
  await client.next((frame) => frame.type === "auth_ok");
  return client;
}

/** Everything that was on its way when this was asked has come when it resolves. */
export const settled = async (client: RawClient): Promise<void> => void (await client.command({ type: "ping" }));

/** The state_changed events that a client got. */
export const changesOf = (client: RawClient) =>
  client.frames.flatMap((frame) => (frame.event?.event_type === "state_changed" ? [frame.event] : []));

export interface WireState {
  entity_id: string;
  state: string;
  attributes: Record<string, unknown>;
  last_changed: string;
  last_reported: string;
  last_updated: string;
  context: { id: string; parent_id: string | null; user_id: string | null };
}

/** Asks for a fault as anybody would. */
export const postFault = async (home: SimulatedHome, fault: Record<string, unknown>) =>
  fetch(`${home.url}/_sim/faults`, { method: "POST", body: JSON.stringify(fault) });

/** Signed in and subscribed; `null`: to every event. */
export async function watching(home: SimulatedHome, event_type: string | null = "state_changed"): Promise<RawClient> {
  const client = await signedIn(home);
  await client.command({ type: "subscribe_events", ...(event_type !== null && { event_type }) });
  return client;
}
