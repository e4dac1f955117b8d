import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ContractHome, ExpectedChange } from "../../contract/home-assistant.ts";
import { type Command, type FakeServer, type Peer, startFakeServer, succeed, TOKEN } from "./fake-server.ts";

export const SAMPLES = join(import.meta.dirname, "../../samples/home-assistant");
export const RECORDED_VERSIONS: readonly string[] = readdirSync(SAMPLES).toSorted();

interface Frame {
  readonly sent?: Record<string, unknown>;
  readonly received?: unknown;
}

/** The frames of one recorded exchange, such as `07-get-states`. */
export function framesOf(version: string, name: string): readonly Frame[] {
  const file = readdirSync(join(SAMPLES, version)).find((each) => each.startsWith(name));
  if (file === undefined) return [];
  const sample = JSON.parse(readFileSync(join(SAMPLES, version, file), "utf8")) as { frames?: Frame[] };
  return sample.frames ?? [];
}

type Message = Record<string, unknown>;
const listOf = (received: unknown): Message[] =>
  (Array.isArray(received) ? received : [received]).filter((each) => typeof each === "object" && each !== null);
const isResult = (message: Message): boolean => message.type === "result" || message.type === "pong";

/** What the recorded server answered, by the command's type. */
function answersOf(version: string): ReadonlyMap<string, Message> {
  const answers = new Map<string, Message>();
  for (const file of readdirSync(join(SAMPLES, version)).toSorted()) {
    let asked: string | undefined;
    for (const frame of framesOf(version, file)) {
      if (typeof frame.sent?.type === "string") asked = frame.sent.type;
      const answer = listOf(frame.received).find(isResult);
      if (answer && asked !== undefined && !answers.has(asked)) answers.set(asked, withoutNotes(answer));
    }
  }
  return answers;
}

/** Long lists were cut when they were recorded, with a text such as "... 128 in all" in the place of the rest. */
const withoutNotes = (answer: Message): Message =>
  Array.isArray(answer.result) ? { ...answer, result: answer.result.filter((row) => typeof row !== "string") } : answer;

const eventsOf = (version: string, name: string, eventType: string): readonly (readonly Message[])[] =>
  framesOf(version, name)
    .map(({ received }) =>
      listOf(received).filter((each) => (each.event as Message | undefined)?.event_type === eventType),
    )
    .filter((frame) => frame.length > 0);

/** A server that says what a real Home Assistant of that version said: the same answers, the same events in the same frames. */
export async function startReplay(version: string): Promise<ContractHome> {
  const answers = answersOf(version);
  const idReuse = listOf(framesOf(version, "23-id-reuse").at(-1)?.received)[0];
  const changes = eventsOf(version, "05-state-changed", "state_changed");
  const areaChanges = eventsOf(version, "26-registry-changes", "area_registry_updated");
  const subscriptions = new Map<Peer, Map<unknown, number>>();
  const lastIds = new Map<Peer, number>();

  function onCommand(command: Command, peer: Peer): void {
    const { id, type } = command;
    const isReused = id <= (lastIds.get(peer) ?? 0);
    lastIds.set(peer, Math.max(id, lastIds.get(peer) ?? 0));
    if (isReused) peer.send({ ...idReuse, id });
    else if (type !== "subscribe_events") peer.send({ ...(answers.get(type) ?? answers.get("no/such_command")), id });
    else {
      const ours = subscriptions.get(peer) ?? new Map<unknown, number>();
      subscriptions.set(peer, ours.set(command.event_type, id));
      succeed(command, peer);
    }
  }

  const play = (eventType: string, frames: readonly (readonly Message[])[]): void => {
    for (const [peer, ours] of subscriptions) {
      const id = ours.get(eventType);
      if (id === undefined) continue;
      for (const frame of frames) {
        const messages = frame.map((message) => ({ ...message, id }));
        peer.send(messages.length === 1 ? messages[0] : messages);
      }
    }
  };

  let server: FakeServer = await startFakeServer({ onCommand, version });
  const end = async () => {
    for (const { socket } of server.peers) socket.close(1000);
    await server.stop();
    subscriptions.clear();
  };
  return {
    url: server.url,
    token: TOKEN,
    version,
    change: async () => {
      play("state_changed", changes);
      return changes.flat().map(expectedOf);
    },
    changeAreas: async () => play("area_registry_updated", areaChanges),
    end,
    begin: async () => {
      server = await startFakeServer({ onCommand, version, port: server.port });
    },
    stop: end,
  };
}

function expectedOf(message: Message): ExpectedChange {
  const { data } = message.event as { data: { entity_id: string; new_state: { state: string } | null } };
  return { entityId: data.entity_id, state: data.new_state?.state ?? null };
}
