import { expect, it } from "vitest";
import { createHaAutomations } from "../../lib/adapters/homeassistant/automations.ts";
import { systemClock } from "../../lib/base/clock.ts";
import { parseIsoUs } from "../../lib/base/time.ts";
import type { HaEvent, HaSession, HaState } from "../../lib/relay/ports.ts";

interface Access {
  home(): { readonly url: string; readonly token: string };
  connect(): Promise<HaSession>;
  /** State changes as they come. */
  listen(session: HaSession): Promise<HaEvent[]>;
  readonly eventually: { readonly timeout: number; readonly interval: number };
}

const ID = "contract_follows";
const AUTOMATION = `automation.${ID}`;

/** @param booleans two entities of the domain `input_boolean` that nothing else switches */
export function saysWhoseDoing(booleans: readonly [string, string], access: Access): void {
  it("says whose doing a change was: a person's, or which automation's", async () => {
    const [pressed, followed] = booleans;
    const session = await access.connect();
    const events = await access.listen(session);
    const call = (service: string, entity_id: string) =>
      session.command({ type: "call_service", domain: "input_boolean", service, target: { entity_id } });
    for (const id of booleans) await call("turn_off", id);
    const automations = createHaAutomations({ ...access.home(), clock: systemClock });
    await automations.write(ID, {
      alias: "Contract follows",
      description: "",
      mode: "single",
      triggers: [{ trigger: "state", entity_id: pressed, to: "on" }],
      conditions: [],
      actions: [{ action: "input_boolean.turn_on", target: { entity_id: followed } }],
    });
    await call("turn_on", pressed);
    const liveOf = (id: string) =>
      events.findLast(({ data }) => data.entity_id === id && (data.new_state as HaState | null)?.state === "on");
    await expect.poll(() => liveOf(followed), access.eventually).toBeDefined();
    await automations.remove(ID);

    const firedUs = (id: string) => parseIsoUs(liveOf(id)?.time_fired ?? "");
    const window = { fromUs: firedUs(pressed) - 60_000_000, toUs: firedUs(pressed) + 60_000_000 };
    const lineOf = async (entityId: string) =>
      (await session.getLogbook({ entityIds: [entityId], ...window }))?.toSorted((a, b) => a.atUs - b.atUs).at(-1);
    await expect.poll(async () => (await lineOf(followed))?.state, { ...access.eventually, interval: 200 }).toBe("on");
    const user = expect.any(String);
    const told = { entityId: pressed, atUs: firedUs(pressed), state: "on" };
    expect(await lineOf(pressed)).toEqual({ ...told, userId: user, call: "input_boolean.turn_on" });
    expect(await lineOf(followed)).toMatchObject({ atUs: firedUs(followed), run: { entityId: AUTOMATION } });
    expect(await lineOf(AUTOMATION)).toMatchObject({ contextId: liveOf(followed)?.context.id });
  });
}
