import type { EventRecord } from "../../../lib/event/index.ts";
import type { BackfillOptions } from "../../../lib/migration/checks/backfill-options.ts";
import type { Happened } from "./happened.ts";
import { oldSystem } from "./old.ts";
import type { Life } from "./scheduler.ts";
import { KEY, type World } from "./world.ts";

let relays = 0;

/** OLD's past as the back-fill reads it, and the queue that it sends it to. */
export function pastOf(world: World, life: Life): Pick<BackfillOptions, "past" | "sink" | "taking" | "newRelayId"> {
  const { parts } = world;
  const isIncluded = () => true;
  const happenedIn = (line: string): readonly Happened[] => {
    const record = JSON.parse(line) as EventRecord;
    const each = record.t === "state" ? world.byId(record.state) : undefined;
    return each ? [each] : [];
  };
  return {
    past: async ({ plan }, toUs) =>
      parts.createOldPast(plan.old, NO_SECRETS, { isIncluded, toUs, system: oldSystem(world, life) }),
    sink: {
      send: (messages) =>
        world.call(life, "cloud", () => {
          for (const text of messages)
            world.arrive(parts.openEnvelope(parts.readEnvelope(text), KEY).flatMap(happenedIn), undefined, "import");
        }),
      waiting: () => world.call(life, "new", () => world.inQueue),
    },
    taking: { isIncluded, travelling: (_entityId, attributes) => attributes, check: () => {} },
    newRelayId: () => `import-${++relays}`,
  };
}

const NO_SECRETS = { token: undefined, user: undefined, password: undefined };
