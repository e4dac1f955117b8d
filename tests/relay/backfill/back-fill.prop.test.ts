import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseIsoUs } from "../../../lib/base/time.ts";
import type { RelayRecord } from "../../../lib/event/index.ts";
import { type Happened, Household, type Running } from "./living-home.ts";

// The first ones are set up first when Home Assistant starts, as in a real one.
const ENTITIES = ["zone.home", "person.x", "light.a", "switch.b", "sensor.c", "light.hidden"];
const HIDDEN = "light.hidden";
/** These come into being at some time. */
const ALL = [...ENTITIES, "sensor.late", "zone.late"];

type Step =
  | { readonly do: "set"; readonly entity: number; readonly state: number }
  | { readonly do: "attributes"; readonly entity: number; readonly value: number }
  | { readonly do: "remove"; readonly entity: number }
  | { readonly do: "wait"; readonly seconds: number }
  | { readonly do: "cut" | "kill" | "stop" | "restart" | "power-cut" | "behind" | "catches-up" | "unreadable" };

const entity = fc.integer({ min: 2, max: ALL.length - 1 });
// What comes and goes within one gap, and is in no recorder, nobody can know of.
const recorded = fc.integer({ min: 2, max: ENTITIES.indexOf(HIDDEN) - 1 });
const steps = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({ do: fc.constant("set" as const), entity, state: fc.integer({ min: 0, max: 3 }) }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant("attributes" as const), entity, value: fc.integer({ min: 0, max: 99 }) }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("remove" as const), entity: recorded }) },
    {
      weight: 6,
      arbitrary: fc.record({ do: fc.constant("wait" as const), seconds: fc.constantFrom(0.01, 0.1, 1, 7, 20, 70) }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constantFrom("cut", "kill", "stop", "restart", "power-cut", "behind", "catches-up", "unreadable"),
      }) as fc.Arbitrary<Step>,
    },
  ),
  { minLength: 5, maxLength: 40 },
);

async function live(timeline: readonly Step[]): Promise<{ house: Household; restarts: number }> {
  const house = new Household([HIDDEN]);
  const { home } = house;
  for (const id of ENTITIES) home.set(id, "0");
  home.commit();
  let running: Running = house.start();
  let restarts = 0;
  await house.pass(2_000);
  for (const id of ENTITIES) home.set(id, "1");
  await house.pass(6_000);
  for (const step of timeline) {
    const id = "entity" in step ? (ALL[step.entity] ?? "") : "";
    if (step.do === "set") home.set(id, String(step.state));
    else if (step.do === "attributes") home.set(id, home.states.get(id)?.state ?? "0", { value: step.value });
    else if (step.do === "remove") home.set(id, null);
    else if (step.do === "wait") await house.pass(step.seconds * 1_000);
    else if (step.do === "cut") home.ha.drop();
    else if (step.do === "behind" || step.do === "catches-up") home.commits(step.do === "catches-up");
    else if (step.do === "kill") {
      running.kill();
      running = house.start();
    } else if (step.do === "stop") {
      await house.stop(running);
      running = house.start();
    } else if (step.do === "unreadable") loseFrame(house, running);
    else {
      restarts += 1;
      await home.restart(step.do === "power-cut", (again, state) => (again === "light.a" ? "0" : state));
    }
  }
  home.commits(true);
  await house.pass(400_000);
  return { house, restarts };
}

/** An event comes as something that cannot be read. */
function loseFrame({ home }: Household, { relay }: Running): void {
  const { session } = home.ha;
  home.ha.session = undefined;
  home.set("sensor.c", `lost ${home.happened.length}`);
  home.ha.session = session;
  if (session) relay.reject("frame_unparsable");
}

interface Told {
  readonly kind: string;
  readonly state: string | null;
  readonly source: string;
}

const keyOf = (entityId: string, atUs: number, state: string | null) => `${entityId} ${atUs} ${state === null}`;

function toldOf(records: readonly RelayRecord[]): Map<string, Told[]> {
  const told = new Map<string, Told[]>();
  for (const record of records) {
    if (record.t !== "state" && record.t !== "removed") continue;
    const state = record.t === "state" ? record.state : null;
    const kind = record.t === "state" ? record.kind : "removed";
    const key = keyOf(
      record.entity_id,
      parseIsoUs(record.t === "state" ? record.last_updated : record.time_fired),
      state,
    );
    told.set(key, [...(told.get(key) ?? []), { kind, state, source: record.source }]);
  }
  return told;
}

/** As stores choose: a live event, else what the recorder gave, else the snapshot. */
const bestOf = (told: readonly Told[]): Told | undefined =>
  told.find(({ source, kind }) => source === "live" && kind !== "snapshot") ??
  told.find(({ kind }) => kind !== "snapshot") ??
  told[0];

describe("whatever is cut, killed, restarted or late", () => {
  it("every event that was written down is told or named, none is invented, and no start is a change", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (timeline) => {
        const { house, restarts } = await live(timeline);
        const records = await house.records();
        const told = toldOf(records);
        const { happened } = house.home;
        const named = new Set(
          records.flatMap((record) => (record.t === "gap" ? record.missing.flatMap(({ examples }) => examples) : [])),
        );
        const truth = new Map(happened.map((event) => [keyOf(event.entityId, event.atUs, event.state), event]));
        const isFirst = (event: Happened) => happened.indexOf(event) < ENTITIES.length;
        const missing = happened.filter(
          (event) =>
            !told.has(keyOf(event.entityId, event.atUs, event.state)) &&
            !isFirst(event) &&
            (event.isRecorded || (event.entityId === HIDDEN && !named.has(HIDDEN))),
        );
        expect(missing).toEqual([]);
        for (const [key, ways] of told) {
          const event = truth.get(key);
          expect(event, key).toBeDefined();
          for (const { state } of ways) expect(state).toBe(event?.state);
          const best = bestOf(ways);
          if (!event || !best || event.state === null || best.kind === "snapshot") continue;
          if (event.isAgain) expect([key, best.kind]).toEqual([key, "restore"]);
          else if (restarts === 0) expect([key, best.kind]).toEqual([key, event.isChange ? "change" : "attributes"]);
        }
      }),
      { numRuns: 60 },
    );
  }, 120_000);
});
