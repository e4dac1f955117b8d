import { describe, expect, it } from "vitest";
import { createDayFacts } from "../../../lib/analysis/detectors/facts.ts";
import { homeDayOf } from "../../../lib/analysis/detectors/home-day.ts";
import { contextOfRow, type HomeEvent, hasContext } from "../../../lib/event/index.ts";
import { buildEvent } from "../../support/events.ts";

const change = (seconds: number, id: string, more: Partial<HomeEvent> = {}): HomeEvent =>
  buildEvent({
    ...{ entityId: "light.a", state: "on", oldState: "off", attributes: {}, context: { id }, atUs: seconds * 1e6 },
    ...more,
  });

function hasContexts(events: readonly HomeEvent[]): boolean {
  const at = { homeId: "home", date: "1970-01-01", fromUs: 0, toUs: 86_400e6, timeZone: "UTC" };
  const builder = createDayFacts(at);
  for (const event of events) builder.add(event);
  const facts = builder.finish();
  expect(homeDayOf(facts).hasContexts).toBe(facts.hasContexts);
  return facts.hasContexts;
}

describe("whether it is known who did what", () => {
  it("is told by Home Assistant's own contexts, not by what a history without them was given", () => {
    expect(hasContext(change(1, "01KB1DX4Q7GJT6R0D1VKJ5M9XN"))).toBe(true);
    expect(hasContext(change(1, contextOfRow("abc")))).toBe(false);
    expect(hasContext(change(1, ""))).toBe(false);
  });

  it("is so of a day when it is so of most changes of what can be switched", () => {
    const known = [change(100, "a"), change(200, "b"), change(300, contextOfRow("c"))];
    expect(hasContexts(known)).toBe(true);
    expect(hasContexts([...known, change(400, contextOfRow("d"))])).toBe(false);
    expect(hasContexts([])).toBe(false);
    const sensor = { entityId: "binary_sensor.motion", deviceClass: "motion" };
    expect(hasContexts([change(100, contextOfRow("c")), change(200, "a", sensor), change(300, "b", sensor)])).toBe(
      false,
    );
  });
});
