import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { createHomeAssistant } from "../../lib/adapters/homeassistant/client.ts";
import type { HaProblem } from "../../lib/adapters/homeassistant/problem.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { parseIsoUs } from "../../lib/base/time.ts";
import type { RegistryName } from "../../lib/event/index.ts";
import type { HaEvent, HaSession, HaState } from "../../lib/relay/ports.ts";
import { saysWhoseDoing } from "./logbook.ts";

/** What a subscriber must see of one change; `null`: the entity was removed. */
export interface ExpectedChange {
  readonly entityId: string;
  readonly state: string | null;
}

/** Something that claims to be a Home Assistant: the simulated home, a replay of recorded frames, a real server. */
export interface ContractHome {
  readonly url: string;
  readonly token: string;
  readonly version: string;
  /** Changes some entities, one after the other; resolves with all their changes, in order, when they have been made. */
  change(): Promise<readonly ExpectedChange[]>;
  /** Changes the registry of areas in one way. */
  changeAreas?(): Promise<void>;
  /** Ends the server as its owner would, and starts the same home again at the same address. */
  end(): Promise<void>;
  begin(): Promise<void>;
  /** Ends everything that `start` started. */
  stop(): Promise<void>;
}

export interface ContractTraits {
  /** Registries that must have rows; the others may be empty lists. */
  readonly filled: readonly RegistryName[];
  /** `changeAreas` is there. */
  readonly changesAreas: boolean;
  /** Two entities of the domain `input_boolean` that nothing else switches, of a home that takes automations. */
  readonly booleans?: readonly [string, string];
  /** How long a change, an end, or a start may take to be seen, in milliseconds. */
  readonly patienceMs: number;
}

const SIX_DECIMALS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$/;
const KEY_OF: Readonly<Record<RegistryName, string>> = {
  areas: "area_id",
  floors: "floor_id",
  labels: "label_id",
  devices: "id",
  entities: "entity_id",
};

/** What the relay needs of a Home Assistant, asked through the adapter. */
export function homeAssistantContract(title: string, traits: ContractTraits, start: () => Promise<ContractHome>): void {
  const { patienceMs } = traits;
  const eventually = { timeout: patienceMs, interval: 20 };

  describe(title, () => {
    let home: ContractHome;
    const problems: HaProblem[] = [];
    const client = (token = home.token) =>
      createHomeAssistant({ url: home.url, token, clock: systemClock, onProblem: (problem) => problems.push(problem) });
    const connect = async (): Promise<HaSession> => {
      const session = await client().connect();
      onTestFinished(() => session.close());
      return session;
    };
    /** State changes as they come. */
    const listen = async (session: HaSession): Promise<HaEvent[]> => {
      const events: HaEvent[] = [];
      await session.subscribeEvents("state_changed", (event) => events.push(event));
      return events;
    };
    /** Makes changes and waits until those of the changed entities have come. */
    const changed = async (events: readonly HaEvent[]) => {
      const expected = await home.change();
      const entities = new Set(expected.map(({ entityId }) => entityId));
      const ours = () => events.filter(({ data }) => entities.has(String(data.entity_id)));
      await expect.poll(() => ours().length, eventually).toBeGreaterThanOrEqual(expected.length);
      return { expected, ours };
    };

    beforeAll(async () => {
      home = await start();
    }, 300_000);
    afterAll(() => home?.stop(), 120_000);

    it("lets in who has the token, and says its version", async () => {
      const session = await connect();
      expect(session.haVersion).toBe(home.version);
    });

    it("refuses a wrong token in a way that no retry follows, and the message does not hold it", async () => {
      const wrong = "wrong.token-of.nobody-1234567890";
      const refusal = await client(wrong)
        .connect()
        .catch((thrown: unknown) => thrown);
      expect(refusal).toMatchObject({ code: "home_assistant_token_refused", fate: "stop" });
      expect((refusal as Error).message).not.toContain(wrong);
    });

    it("brings each change once, in order, with six decimals", async () => {
      const events = await listen(await connect());
      const { expected, ours } = await changed(events);
      const seen = ours().map(({ data }) => ({
        entityId: data.entity_id,
        state: (data.new_state as HaState | null)?.state ?? null,
      }));
      for (const entityId of new Set(expected.map((change) => change.entityId))) {
        const of = (changes: readonly { entityId: unknown }[]) => changes.filter((each) => each.entityId === entityId);
        expect(of(seen)).toEqual(of(expected));
      }
      for (const { time_fired, data } of ours()) {
        expect(time_fired).toMatch(SIX_DECIMALS);
        const state = data.new_state as HaState | null;
        if (state === null) continue;
        expect(state.last_updated).toBe(time_fired);
        expect(state.last_changed).toMatch(SIX_DECIMALS);
        expect(state.context.id).not.toBe("");
      }
      const fired = ours().map(({ time_fired }) => parseIsoUs(time_fired));
      expect(fired).toEqual(fired.toSorted((a, b) => a - b));
      const keys = ours().map(({ data, time_fired }) => `${String(data.entity_id)} ${time_fired}`);
      expect(new Set(keys).size).toBe(keys.length);
    });

    it("brings every change to each session, whatever another session's callback does", async () => {
      const good = await listen(await connect());
      const bad = await connect();
      const before = problems.length;
      let calls = 0;
      await bad.subscribeEvents("state_changed", () => {
        calls++;
        throw new Error("a bug of ours");
      });
      const { expected, ours } = await changed(good);
      expect(ours()).toHaveLength(expected.length);
      await expect.poll(() => calls, eventually).toBeGreaterThanOrEqual(expected.length);
      expect(problems.slice(before).every(({ kind }) => kind === "callback_failed")).toBe(true);
      await expect(bad.getConfig()).resolves.toMatchObject({ version: home.version });
    });

    it("tells what history later tells, to the microsecond", async () => {
      const session = await connect();
      const events = await listen(session);
      const { ours } = await changed(events);
      const last = new Map(ours().map((event) => [String(event.data.entity_id), event]));
      const first = ours()[0]?.time_fired ?? "";
      const firstUs = parseIsoUs(first);
      const historyOf = async () => {
        const window = { fromUs: firstUs, toUs: firstUs + 3_600_000_000 };
        const rows = await session.getHistory({ entityIds: [...last.keys()], ...window });
        return [...rows].flatMap(([entityId, of]) =>
          of.map(({ lastUpdatedUs, state }) => `${entityId} ${lastUpdatedUs} ${state}`),
        );
      };
      const live = ours().map(({ data, time_fired }) => {
        const state = (data.new_state as HaState | null)?.state ?? null;
        return `${String(data.entity_id)} ${parseIsoUs(time_fired)} ${state}`;
      });
      await expect.poll(historyOf, { ...eventually, interval: 200 }).toEqual(expect.arrayContaining(live));
    });

    if (traits.booleans) saysWhoseDoing(traits.booleans, { home: () => home, connect, listen, eventually });

    it("says how its recorder is", async () => {
      const info = await (await connect()).getRecorder();
      expect(info).toMatchObject({ isRecording: true, backlog: expect.any(Number) });
    });

    it("answers with all states", async () => {
      const states = (await (await connect()).getStates()) as HaState[];
      expect(states.length).toBeGreaterThan(0);
      for (const state of states) {
        expect(state.entity_id).toMatch(/^[a-z0-9_]+\.[a-z0-9_]+$/);
        expect(typeof state.state).toBe("string");
        expect(state.last_updated).toMatch(SIX_DECIMALS);
        expect(state.last_changed).toMatch(SIX_DECIMALS);
        expect(state.context.id).not.toBe("");
      }
      expect(new Set(states.map(({ entity_id }) => entity_id)).size).toBe(states.length);
    });

    it("answers with its configuration", async () => {
      const config = await (await connect()).getConfig();
      expect(config).toMatchObject({ state: "RUNNING", version: home.version });
      expect(() => new Intl.DateTimeFormat("en", { timeZone: config.time_zone })).not.toThrow();
      expect(config.location_name).not.toBe("");
    });

    it.each(Object.keys(KEY_OF) as RegistryName[])("lists its %s, each with its key", async (name) => {
      const rows = await (await connect()).getRegistry(name);
      const keys = rows.map((row) => row[KEY_OF[name]]);
      expect(keys.every((key) => typeof key === "string" && key !== "")).toBe(true);
      expect(new Set(keys).size).toBe(keys.length);
      if (traits.filled.includes(name)) expect(rows.length).toBeGreaterThan(0);
    });

    it("has entities of devices and areas that it lists", async () => {
      const session = await connect();
      const [entities, devices, areas] = await Promise.all(
        (["entities", "devices", "areas"] as const).map((name) => session.getRegistry(name)),
      );
      const known = new Set([...(devices ?? []).map(({ id }) => id), ...(areas ?? []).map(({ area_id }) => area_id)]);
      const named = [...(entities ?? []), ...(devices ?? [])].map(({ area_id }) => area_id);
      const wanted = [...named, ...(entities ?? []).map(({ device_id }) => device_id)];
      const missing = wanted.filter((id) => id !== null && id !== undefined && !known.has(id));
      expect(missing).toEqual([]);
    });

    if (traits.changesAreas)
      it("says when a registry changes", async () => {
        const session = await connect();
        const events: HaEvent[] = [];
        await session.subscribeEvents("area_registry_updated", (event) => events.push(event));
        await home.changeAreas?.();
        await expect.poll(() => events.length, eventually).toBeGreaterThan(0);
        expect(events[0]?.data).toMatchObject({
          action: expect.stringMatching(/^(create|update|remove)$/),
          area_id: expect.any(String),
        });
      });

    it("answers an unknown command with an error, and goes on", async () => {
      const session = await connect();
      await expect(session.command({ type: "no/such_command" })).rejects.toMatchObject({
        code: "home_assistant_command_failed",
        message: expect.stringContaining("unknown_command"),
      });
      await expect(session.getConfig()).resolves.toMatchObject({ version: home.version });
    });

    it("answers many commands at once, each with its own answer", async () => {
      const session = await connect();
      const answers = await Promise.all(
        Array.from({ length: 60 }, (_, index) => {
          if (index % 3 === 0) return session.command({ type: "ping" });
          return index % 3 === 1 ? session.getConfig() : session.getRegistry("areas");
        }),
      );
      answers.forEach((answer, index) => {
        if (index % 3 === 0) expect(answer).toBeUndefined();
        else if (index % 3 === 1) expect(answer).toHaveProperty("time_zone");
        else expect(Array.isArray(answer)).toBe(true);
      });
    });

    it("can be left: the reason says who ended it, and later commands are refused", async () => {
      const session = await connect();
      await session.close();
      await expect(session.closed).resolves.toMatchObject({ reason: "closed by this side" });
      await expect(session.getStates()).rejects.toMatchObject({ code: "home_assistant_disconnected", fate: "retry" });
      await session.close();
    });

    it("can end: the session says so, and the next one works", async () => {
      const again = client();
      const session = await again.connect();
      const events = await listen(session);
      await home.end();
      const closed = await session.closed;
      expect(closed.reason).not.toBe("");
      expect(closed.reason).not.toContain("this side");
      await expect(session.getConfig()).rejects.toMatchObject({ code: "home_assistant_disconnected" });
      await expect(again.connect()).rejects.toMatchObject({ code: "home_assistant_disconnected", fate: "retry" });
      const count = events.length;

      await home.begin();
      const next = await again.connect();
      onTestFinished(() => next.close());
      await expect.poll(async () => (await next.getConfig()).state, eventually).toBe("RUNNING");
      const { expected, ours } = await changed(await listen(next));
      expect(ours().length).toBeGreaterThanOrEqual(expected.length);
      expect(events).toHaveLength(count);
    }, 300_000);

    it("gave no cause for complaint but the callback that failed on purpose", () => {
      expect(problems.filter(({ kind }) => kind !== "callback_failed")).toEqual([]);
    });
  });
}
