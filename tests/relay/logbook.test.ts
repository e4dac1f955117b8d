import { describe, expect, it } from "vitest";
import { createDayFacts } from "../../lib/analysis/detectors/facts.ts";
import { contextOfRow, type HomeEvent } from "../../lib/event/index.ts";
import { contextsOf, type PastMoment } from "../../lib/relay/index.ts";
import type { LogbookEntry } from "../../lib/relay/ports.ts";
import { buildEvent } from "../support/events.ts";

const RUN = "01M82WTM2HYY3CR6EE3XTX8JZK";
const LATER = "01M82WTNEFBJDGQCHYPNYMQZTW";
const USER = "73fde49a6a214809905a1175131dee07";
const HALL = "automation.hall_light";

const ENTRIES: readonly LogbookEntry[] = [
  // As a logbook has no order to rely on.
  { entityId: HALL, atUs: 900, contextId: LATER },
  { entityId: HALL, atUs: 100, contextId: RUN },
  { entityId: "light.hall", atUs: 120, state: "on", run: { entityId: HALL } },
  { entityId: "light.porch", atUs: 130, state: "on", run: { entityId: HALL }, userId: USER },
  { entityId: "light.desk", atUs: 500, state: "on", userId: USER },
  { entityId: "light.hand", atUs: 600, state: "on" },
  { entityId: "light.nameless", atUs: 700, state: "on", run: {} },
  { entityId: "light.hall", atUs: 950, state: "off", run: { entityId: HALL } },
  { entityId: "light.early", atUs: 50, state: "off", run: { entityId: HALL } },
];
const moment = (entityId: string, atUs: number, isAttributes = false): PastMoment => ({ entityId, atUs, isAttributes });

describe("contexts by the logbook", () => {
  const contextOf = contextsOf(ENTRIES);
  const at = (entityId: string, atUs: number) => contextOf(moment(entityId, atUs));

  it("say that one run did all that it did, whoever set it off, and which run it was", () => {
    const hall = at("light.hall", 120);
    expect(hall).toEqual({ id: RUN, parent_id: expect.any(String), user_id: null });
    expect(at("light.porch", 130)).toEqual(hall);
    expect(contextOf(moment(HALL, 101, true))).toEqual(hall);
    expect(at("light.hall", 950)?.id).toBe(LATER);
  });

  it("say of a run that is not told that it was one", () => {
    for (const found of [at("light.nameless", 700), at("light.early", 50)]) {
      expect(found).toMatchObject({ parent_id: expect.any(String), user_id: null });
      expect(found?.id).not.toBe(RUN);
    }
  });

  it("say of a person's change who it was if that is known, and give each an id of its own", () => {
    expect(at("light.desk", 500)).toMatchObject({ parent_id: null, user_id: USER });
    expect(at("light.hand", 600)).toMatchObject({ parent_id: null, user_id: null });
    expect(at("light.desk", 500)?.id).not.toBe(at("light.hand", 600)?.id);
    expect(contextsOf(ENTRIES)(moment("light.desk", 500))).toEqual(at("light.desk", 500));
  });

  it("give the changes of one call one id, and those of the next another", () => {
    const scene = (entityId: string, atUs: number, call = "scene.turn_on"): LogbookEntry => {
      return { entityId, atUs, state: "on", userId: USER, call };
    };
    const entries = [
      scene("light.b", 2e6),
      scene("light.a", 1e6),
      scene("light.c", 5e6),
      scene("light.d", 5e6, "light.turn_on"),
    ];
    const idOf = (entry: LogbookEntry) => contextsOf(entries)(moment(entry.entityId, entry.atUs))?.id;
    const [b, a, c, d] = entries.map(idOf);
    expect(a).toBe(b);
    expect(new Set([a, c, d]).size).toBe(3);
  });

  it("say nothing of what the logbook does not tell", () => {
    expect(at("light.hall", 121)).toBeUndefined();
    expect(at("light.other", 120)).toBeUndefined();
    expect(contextOf(moment("light.hall", 120, true))).toBeUndefined();
    expect(contextOf(moment(HALL, 99, true))).toBeUndefined();
  });

  it("fit into an event, however long an entity's id is", () => {
    const entityId = `light.${"x".repeat(249)}`;
    const run = { entityId: `automation.${"y".repeat(244)}` };
    const found = contextsOf([{ entityId, atUs: 1, state: "on", run }])(moment(entityId, 1));
    expect(Math.max(found?.id.length ?? 99, found?.parent_id?.length ?? 99)).toBeLessThanOrEqual(64);
  });
});

describe("a day of which only the logbook knows who did what", () => {
  const contextOf = contextsOf(ENTRIES);
  const eventOf = (entityId: string, atUs: number, more: Partial<HomeEvent> = {}): HomeEvent => {
    const found = contextOf(moment(entityId, atUs, more.kind === "attributes"));
    const { parent_id, user_id } = found ?? { parent_id: null, user_id: null };
    const context = {
      id: found?.id ?? contextOfRow(`${entityId}${atUs}`),
      ...(parent_id !== null && { parentId: parent_id }),
      ...(user_id !== null && { userId: user_id }),
    };
    const domain = entityId.slice(0, entityId.indexOf("."));
    const state = { entityId, domain, atUs, lastChangedUs: atUs, state: "on", oldState: "off" };
    return buildEvent({ ...state, source: "import", attributes: {}, context, ...more });
  };
  const factsOf = (events: readonly HomeEvent[]) => {
    const day = { homeId: "home", date: "1970-01-01", fromUs: 0, toUs: 86_400e6, timeZone: "UTC" };
    const builder = createDayFacts(day);
    for (const event of events.toSorted((a, b) => a.atUs - b.atUs)) builder.add(event);
    return builder.finish();
  };
  const changes = [
    eventOf("light.hall", 120),
    eventOf("light.porch", 130),
    eventOf("light.desk", 500),
    eventOf("light.hand", 600),
    eventOf("light.nameless", 700),
  ];
  const wanted = { hall: "automation", porch: "automation", desk: "person", hand: "person", nameless: "automation" };
  const whoOf = (events: readonly HomeEvent[]) =>
    Object.fromEntries(factsOf(events).occurrences.map(({ entityId, actor }) => [entityId.slice(6), actor]));

  it("is one on which it is known", () => {
    expect(factsOf(changes).hasContexts).toBe(true);
    const mute = changes.map((event) => ({ ...event, context: { id: contextOfRow(event.entityId) } }));
    expect(factsOf(mute).hasContexts).toBe(false);
  });

  it("tells automations from people, with the automation's own row or without it", () => {
    expect(whoOf(changes)).toEqual(wanted);
    expect(whoOf([...changes, eventOf(HALL, 101, { kind: "attributes", oldState: "on" })])).toEqual(wanted);
  });
});
