import { describe, expect, it, onTestFinished } from "vitest";
import { createHomeAssistant, type HomeAssistantOptions } from "../../../lib/adapters/homeassistant/client.ts";
import type { HaProblem } from "../../../lib/adapters/homeassistant/problem.ts";
import { systemClock } from "../../../lib/base/clock.ts";
import type { HaEvent, HaSession } from "../../../lib/relay/ports.ts";
import { manualClock } from "../../support/manual-clock.ts";
import {
  type Command,
  type FakeServer,
  type FakeServerOptions,
  type Peer,
  startFakeServer,
  succeed,
  TOKEN,
} from "./fake-server.ts";

interface Opened {
  readonly server: FakeServer;
  readonly session: HaSession;
  readonly peer: Peer;
  readonly problems: HaProblem[];
}

async function opened(server: FakeServerOptions = {}, client: Partial<HomeAssistantOptions> = {}): Promise<Opened> {
  const fake = await startFakeServer(server);
  const problems: HaProblem[] = [];
  const onProblem = (problem: HaProblem) => problems.push(problem);
  const home = createHomeAssistant({ url: fake.url, token: TOKEN, clock: systemClock, onProblem, ...client });
  const session = await home.connect();
  onTestFinished(async () => {
    await fake.stop();
    await session.closed;
  });
  const peer = fake.peers[0];
  if (!peer) throw new Error("nobody connected");
  return { server: fake, session, peer, problems };
}

const event = (id: number, count: number) => ({
  id,
  type: "event",
  event: {
    event_type: "state_changed",
    data: { entity_id: "sensor.a", old_state: null, new_state: { state: String(count) } },
    origin: "LOCAL",
    time_fired: "2026-11-22T05:47:09.185382+00:00",
    context: { id: "01M80WPJ00PMBJ355EWRA8DG27", parent_id: null, user_id: null },
  },
});
const countOf = ({ data }: HaEvent): number => Number((data.new_state as { state: string }).state);

/** A subscription; its id, and the numbers of the events that came. */
async function subscribed({ session, server }: Opened) {
  const seen: number[] = [];
  await session.subscribeEvents("state_changed", (each) => seen.push(countOf(each)));
  const { id } = server.received.at(-1) as Command;
  return { seen, id };
}

describe("the first command", () => {
  it("asks for coalesced messages, with the number 1", async () => {
    const { server } = await opened();
    expect(server.received[1]).toEqual({ id: 1, type: "supported_features", features: { coalesce_messages: 1 } });
  });

  it("may be unknown to an old Home Assistant", async () => {
    const onCommand = ({ id }: Command, { send }: Peer) =>
      send({ id, type: "result", success: false, error: { code: "unknown_command", message: "Unknown command." } });
    const { session } = await opened({ onCommand });
    expect(session.haVersion).toBe("2026.11.0");
  });

  it("that is never answered ends the attempt", async () => {
    const clock = manualClock();
    const server = await startFakeServer({ onCommand: () => {} });
    onTestFinished(() => server.stop());
    const attempt = createHomeAssistant({ url: server.url, token: TOKEN, clock }).connect();
    const outcome = expect(attempt).rejects.toMatchObject({ code: "home_assistant_disconnected", fate: "retry" });
    await expect.poll(() => server.received.length).toBe(2);
    await clock.advance(60_000);
    await outcome;
  });
});

describe("one bad thing costs only itself", () => {
  it.each([
    ["text that is not JSON", "frame_unparsable", (peer: Peer) => peer.raw("{")],
    ["nothing", "frame_unparsable", (peer: Peer) => peer.raw("")],
    ["NaN", "frame_unparsable", (peer: Peer, id: number) => peer.raw(`[{"id":${id},"type":"event","event":NaN}]`)],
    ["bytes", "frame_binary", (peer: Peer) => peer.raw(Buffer.from("{}"), { binary: true })],
    [
      "text that is not UTF-8",
      "frame_not_utf8",
      (peer: Peer) => peer.raw(Buffer.from([0x22, 0xff, 0x22]), { binary: false }),
    ],
    ["a message without a type", "message_malformed", (peer: Peer) => peer.send({ id: 5 })],
    ["a message that is no object", "message_malformed", (peer: Peer) => peer.send([null])],
    ["a list in a list", "message_malformed", (peer: Peer, id: number) => peer.send([[event(id, 99)]])],
    ["an unknown type of message", "message_unexpected", (peer: Peer) => peer.send({ type: "news" })],
    [
      "an answer to nothing",
      "message_unexpected",
      (peer: Peer) => peer.send({ id: 777, type: "result", success: true }),
    ],
    ["an event of another subscription", "message_unexpected", (peer: Peer) => peer.send(event(777, 99))],
    ["an event without a number", "message_unexpected", (peer: Peer) => peer.send({ ...event(2, 99), id: undefined })],
    ["an event that is missing", "event_malformed", (peer: Peer, id: number) => peer.send({ id, type: "event" })],
    [
      "an event that is a list",
      "event_malformed",
      (peer: Peer, id: number) => peer.send({ id, type: "event", event: [] }),
    ],
  ] as const)("%s", async (_what, kind, disturb) => {
    const open = await opened();
    const { seen, id } = await subscribed(open);
    open.peer.send(event(id, 1));
    disturb(open.peer, id);
    open.peer.send([event(id, 2), event(id, 3)]);
    await expect.poll(() => seen).toEqual([1, 2, 3]);
    expect(open.problems.map((problem) => problem.kind)).toEqual([kind]);
    await expect(open.session.command({ type: "ping" })).resolves.toBeUndefined();
  });

  it.each(["event_type", "data", "time_fired", "origin", "context"])("an event without %s", async (member) => {
    const open = await opened();
    const { seen, id } = await subscribed(open);
    const bad = event(id, 2);
    open.peer.send([event(id, 1), { ...bad, event: { ...bad.event, [member]: undefined } }, event(id, 3)]);
    await expect.poll(() => seen).toEqual([1, 3]);
    expect(open.problems).toMatchObject([{ kind: "event_malformed", detail: `an event has no ${member}` }]);
    if (member !== "data") expect(open.problems[0]?.entityId).toBe("sensor.a");
  });

  it("an event that its taker throws at, with the token taken out of what it says", async () => {
    const open = await opened();
    const seen: number[] = [];
    await open.session.subscribeEvents("state_changed", (each) => {
      if (countOf(each) === 2) throw new Error(`cannot take ${TOKEN}`);
      seen.push(countOf(each));
    });
    const { id } = open.server.received.at(-1) as Command;
    open.peer.send([1, 2, 3].map((count) => event(id, count)));
    await expect.poll(() => seen).toEqual([1, 3]);
    expect(open.problems).toEqual([
      {
        kind: "callback_failed",
        detail: 'taking an event of type "state_changed" failed: cannot take [secret]',
        entityId: "sensor.a",
      },
    ]);
  });

  it("never the report of it: a reporter that throws is ignored", async () => {
    const onProblem = () => {
      throw new Error("a bug in the counting");
    };
    const open = await opened({}, { onProblem });
    const { seen, id } = await subscribed(open);
    open.peer.raw("{");
    open.peer.send(event(id, 1));
    await expect.poll(() => seen).toEqual([1]);
  });

  it("a problem never quotes a frame, which may hold a secret", async () => {
    const open = await opened();
    await subscribed(open);
    open.peer.raw('{"access_token":"camera-secret",,}');
    await expect.poll(() => open.problems.length).toBe(1);
    expect(JSON.stringify(open.problems)).not.toContain("camera-secret");
  });
});

describe("events", () => {
  it("that share a frame with the answer to their subscription are not lost", async () => {
    const onCommand = (command: Command, peer: Peer) => {
      if (command.type !== "subscribe_events") return succeed(command, peer);
      peer.send([{ id: command.id, type: "result", success: true, result: null }, event(command.id, 1)]);
    };
    const { seen } = await subscribed(await opened({ onCommand }));
    expect(seen).toEqual([1]);
  });

  it("of a refused subscription do not come, and Home Assistant is told in case it only answered late", async () => {
    const onCommand = (command: Command, peer: Peer) => {
      const error = { code: "unauthorized", message: "Unauthorized" };
      if (command.type !== "subscribe_events") succeed(command, peer);
      else peer.send({ id: command.id, type: "result", success: false, error });
    };
    const { session, problems, server, peer } = await opened({ onCommand });
    const seen: HaEvent[] = [];
    const asked = session.subscribeEvents("call_service", (each) => seen.push(each));
    await expect(asked).rejects.toMatchObject({ code: "home_assistant_command_failed", haCode: "unauthorized" });
    const { id } = server.received.find(({ type }) => type === "subscribe_events") as Command;
    peer.send(event(id, 1));
    await session.command({ type: "ping" });
    expect(seen).toEqual([]);
    expect(problems.map(({ kind }) => kind)).toEqual(["message_unexpected"]);
    expect(server.received).toContainEqual(expect.objectContaining({ type: "unsubscribe_events", subscription: id }));
  });

  it("may have members named like our own reports", async () => {
    const open = await opened();
    const { seen, id } = await subscribed(open);
    const odd = event(id, 1);
    open.peer.send({ ...odd, event: { ...odd.event, kind: "event_malformed", detail: "no" } });
    await expect.poll(() => seen).toEqual([1]);
  });

  it("of 20,000 in frames of 500 all come, in order", async () => {
    const open = await opened();
    const { seen, id } = await subscribed(open);
    for (let first = 0; first < 20_000; first += 500)
      open.peer.send(Array.from({ length: 500 }, (_, index) => event(id, first + index)));
    await expect.poll(() => seen.length).toBe(20_000);
    expect(seen).toEqual(Array.from({ length: 20_000 }, (_, index) => index));
  });
});

describe("commands", () => {
  it("have a deadline each; a late answer is reported and harms nobody", async () => {
    const clock = manualClock();
    const open = await opened(
      { onCommand: (command, peer) => command.type !== "slow" && succeed(command, peer) },
      { clock },
    );
    const slow = open.session.command({ type: "slow" });
    const outcome = expect(slow).rejects.toMatchObject({ code: "command_timeout", fate: "retry" });
    await expect.poll(() => open.server.received.at(-1)?.type).toBe("slow");
    const { id } = open.server.received.at(-1) as Command;
    await clock.advance(14_000);
    // Not silence: else the watchdog would ask.
    await open.session.command({ type: "ping" });
    await clock.advance(16_000);
    await outcome;
    open.peer.send({ id, type: "result", success: true, result: 1 });
    await expect.poll(() => open.problems.map(({ kind }) => kind)).toEqual(["message_unexpected"]);
    await expect(open.session.command({ type: "ping" })).resolves.toBeUndefined();
  });

  it("have increasing numbers, whatever the caller writes into them", async () => {
    const open = await opened();
    await Promise.all([{ id: 1 }, { id: "x" }, {}].map((odd) => open.session.command({ ...odd, type: "ping" })));
    expect(open.server.received.slice(1).map(({ id }) => id)).toEqual([1, 2, 3, 4]);
  });

  it("that cannot be written as JSON are refused alone", async () => {
    const open = await opened();
    await expect(open.session.command({ type: "ping", big: 1n })).rejects.toThrow(TypeError);
    await expect(open.session.command({ type: "ping" })).resolves.toBeUndefined();
  });

  it("are refused when a thousand wait", async () => {
    const open = await opened({
      onCommand: (command, peer) => command.type === "supported_features" && succeed(command, peer),
    });
    const waiting = Array.from({ length: 1_000 }, () => open.session.command({ type: "slow" }).catch(() => "ended"));
    await expect(open.session.command({ type: "slow" })).rejects.toMatchObject({
      code: "home_assistant_command_failed",
    });
    await open.session.close();
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(["ended"]));
  });

  it.each([
    ["no error", undefined],
    ["an error of another shape", "no"],
    ["an error without texts", { code: 7 }],
  ])("that fail with %s fail all the same", async (_what, error) => {
    const onCommand = (command: Command, peer: Peer) =>
      command.type === "odd"
        ? peer.send({ id: command.id, type: "result", success: false, error })
        : succeed(command, peer);
    const { session } = await opened({ onCommand });
    await expect(session.command({ type: "odd" })).rejects.toMatchObject({ code: "home_assistant_command_failed" });
  });
});

describe("answers", () => {
  const answering = (result: unknown) => (command: Command, peer: Peer) =>
    command.type === "supported_features"
      ? succeed(command, peer)
      : peer.send({ id: command.id, type: "result", success: true, result });

  it("of get_config are taken as far as we need them", async () => {
    const { session } = await opened({
      onCommand: answering({
        state: "DANCING",
        version: "2030.1.0",
        time_zone: "Europe/Amsterdam",
        country: 5,
        new: {},
      }),
    });
    await expect(session.getConfig()).resolves.toEqual({
      state: "NOT_RUNNING",
      version: "2030.1.0",
      location_name: "Home",
      time_zone: "Europe/Amsterdam",
    });
  });

  it("of get_config without what we need name it", async () => {
    const { session } = await opened({ onCommand: answering({ state: "RUNNING" }) });
    await expect(session.getConfig()).rejects.toThrow(/version, time_zone/);
  });

  it.each([null, {}, "states"])("of get_states that are %j are refused", async (result) => {
    const { session } = await opened({ onCommand: answering(result) });
    await expect(session.getStates()).rejects.toMatchObject({ code: "home_assistant_command_failed" });
  });

  it("of a registry keep their rows, whatever keys they lack, and lose what is no row", async () => {
    const rows = [{ id: "a" }, null, "... 3 in all", { id: "b", parent_device_id: "a" }];
    const { session, problems } = await opened({ onCommand: answering(rows) });
    await expect(session.getRegistry("devices")).resolves.toEqual([rows[0], rows[3]]);
    expect(problems.map(({ kind }) => kind)).toEqual(["row_malformed", "row_malformed"]);
  });

  it("that a later registry is unknown is an empty list; any other refusal is an error, and areas unknown while it starts", async () => {
    const onCommand = (command: Command, peer: Peer) => {
      if (command.type === "supported_features") return succeed(command, peer);
      const code = command.type.includes("device") ? "unauthorized" : "unknown_command";
      peer.send({ id: command.id, type: "result", success: false, error: { code, message: "no" } });
    };
    const { session } = await opened({ onCommand });
    await expect(session.getRegistry("floors")).resolves.toEqual([]);
    await expect(session.getRegistry("devices")).rejects.toMatchObject({ haCode: "unauthorized" });
    await expect(session.getRegistry("areas")).rejects.toMatchObject({ haCode: "unknown_command" });
  });

  it("of 20 MB are read", async () => {
    const states = Array.from({ length: 20 }, (_, index) => ({
      entity_id: `sensor.a${index}`,
      state: "x".repeat(1_000_000),
    }));
    const { session } = await opened({ onCommand: answering(states) });
    await expect(session.getStates()).resolves.toHaveLength(20);
  });
});

describe("the end of a session", () => {
  it("by Home Assistant has its code; what waits is told, and nothing can be asked any more", async () => {
    const open = await opened({ onCommand: (command, peer) => command.type !== "slow" && succeed(command, peer) });
    const slow = open.session.command({ type: "slow" }).catch((thrown: unknown) => thrown);
    await expect.poll(() => open.server.received.at(-1)?.type).toBe("slow");
    open.peer.socket.close(1000);
    await expect(open.session.closed).resolves.toEqual({ code: 1000, reason: "closed by Home Assistant" });
    expect(await slow).toMatchObject({ code: "home_assistant_disconnected" });
    await expect(open.session.subscribeEvents("x", () => {})).rejects.toMatchObject({
      code: "home_assistant_disconnected",
    });
  });

  it("by a reason that Home Assistant gives repeats it", async () => {
    const open = await opened();
    open.peer.socket.close(1008, "too slow");
    await expect(open.session.closed).resolves.toEqual({ code: 1008, reason: "too slow" });
  });

  it("without a farewell is a lost connection; what came before it was delivered", async () => {
    const open = await opened();
    const { seen, id } = await subscribed(open);
    open.peer.send([event(id, 1), event(id, 2)]);
    open.peer.socket.terminate();
    await expect(open.session.closed).resolves.toEqual({ code: 1006, reason: "connection lost" });
    expect(seen).toEqual([1, 2]);
  });

  it("comes by a frame of more than 64 MiB, and says so", async () => {
    const open = await opened();
    open.peer.raw(Buffer.alloc(67_108_865, 0x20), { binary: false });
    const closed = await open.session.closed;
    expect(closed.reason).toMatch(/payload/i);
  });

  it("by us waits two seconds for the other side, no longer", async () => {
    const clock = manualClock();
    const open = await opened({}, { clock });
    // The peer reads no more, so it never answers the close frame.
    open.peer.socket.pause();
    const closing = open.session.close();
    await clock.advance(2_000);
    await closing;
    await expect(open.session.closed).resolves.toMatchObject({ reason: "closed by this side" });
  });
});
