import { describe, expect, it } from "vitest";
import type { HomeEvent } from "../../../lib/event/index.ts";
import { withAuthority } from "../../../lib/migration/reads/with-authority.ts";
import type { Position, RangeQuery } from "../../../lib/store/ports.ts";
import { buildEvent } from "../../support/events.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { fakeNew, fakeOld, pointer, quiet } from "./fakes.ts";
import { FROM_US } from "./homes.ts";

const at = (offsetUs: number, entityId: string): HomeEvent =>
  buildEvent({ atUs: FROM_US + offsetUs, entityId, state: `${offsetUs}` });

/** Pages of one event, of an OLD that has milliseconds only, by these authorities in turn; the last one stays. */
async function pages(order: RangeQuery["order"], authorities: readonly ("old" | "new")[]): Promise<string[]> {
  const [old, made] = [fakeOld({ precisionUs: 1_000 }), fakeNew()];
  const events = [at(100, "light.c"), at(300, "light.a"), at(900, "light.b"), at(1_500, "light.a")];
  await old.write(events);
  await made.store.write(events);
  let turn = 0;
  const store = withAuthority(made.events, {
    pointers: {
      get: () => pointer({ authority: authorities[Math.min(turn++, authorities.length - 1)] ?? "new" }),
      renew: async () => undefined,
    },
    oldOf: () => old,
    clock: manualClock(),
    random: () => 0,
    log: quiet,
    onPair: () => {},
  });
  const found: string[] = [];
  let after: Position | undefined;
  do {
    const page = await store.range({ homeId: "home", order, limit: 1, ...(after && { after }) });
    found.push(...page.events.map(({ entityId, state }) => `${entityId} ${state}`));
    after = page.next;
  } while (after && found.length < 20);
  return found;
}

const ALL = ["light.a 1500", "light.a 300", "light.b 900", "light.c 100"];

describe("pages that change sides within one tick of OLD", () => {
  it.each(["asc", "desc"] as const)("leave nothing out, %s", async (order) => {
    for (const one of ["old", "new"] as const)
      for (const two of ["old", "new"] as const)
        for (const three of ["old", "new"] as const) {
          const found = await pages(order, [one, two, three]);
          expect([...new Set(found)].sort(), `${one} ${two} ${three}`).toEqual(ALL);
          // What comes twice lies in the tick in which they changed.
          if (one === two && two === three) expect(found).toHaveLength(4);
          else expect(found.length).toBeLessThanOrEqual(8);
        }
  });
});
