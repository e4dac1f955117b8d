import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDynamodbMigrationStore } from "../../lib/adapters/dynamodb/migrations.ts";
import type { Table } from "../../lib/adapters/dynamodb/table.ts";
import type { Clock } from "../../lib/base/clock.ts";
import { seededRandom } from "../../lib/base/random.ts";
import { createControl } from "../../lib/migration/control.ts";
import { ENDED } from "../../lib/migration/index.ts";
import type { Feeder, PlanInput } from "../../lib/migration/plan.ts";
import type { Migration } from "../../lib/migration/types.ts";
import { startLegacy } from "../../local/legacy/server.ts";
import { planOf } from "./migrations.ts";

/** An old pipeline in this process, and a person at the controls of a home that moves away from it. */
export async function startMigrating(table: Table, clock: Clock) {
  const data = mkdtempSync(join(tmpdir(), "hearthline-migrating-"));
  const legacy = await startLegacy({ port: 0, data, seed: 1, clock });
  const store = createDynamodbMigrationStore(table);
  let made = 0;
  const newId = () => `m${++made}`;
  const control = createControl({ store, clock, random: seededRandom(1), newId });

  async function begin(
    homeId: string,
    { fedBy = "home-assistant", ...more }: Partial<PlanInput> & { readonly fedBy?: Feeder } = {},
  ): Promise<string> {
    const quick = {
      soakSeconds: 1,
      stabiliseSeconds: 1,
      settleSeconds: 1,
      quietSeconds: 1,
      recheckSeconds: 0,
      probesPerStep: 5,
    };
    const triggers = { performance: false, errors: false, loss: false, "part-down": false, inconsistency: false };
    const old = { kind: "http" as const, url: legacy.url, fedBy, devices: `${legacy.url}/api/devices` };
    const { id } = await control.plan(
      homeId,
      planOf({ ...quick, gates: [], stages: [100], triggers, old, ...more }),
      "owner",
    );
    await control.start({ homeId, id, epoch: 1, actor: "owner" });
    return id;
  }

  async function get(homeId: string, id: string): Promise<Migration> {
    const row = await store.get(homeId, id);
    if (!row) throw new Error(`There is no migration ${id} of ${homeId}.`);
    return row;
  }

  /** Through every state, over whatever the checks say; a step in each. */
  async function force(homeId: string, id: string, step: () => Promise<unknown>): Promise<readonly Migration[]> {
    const rows: Migration[] = [];
    for (;;) {
      await step();
      const row = await get(homeId, id);
      rows.push(row);
      if (ENDED.has(row.state)) return rows;
      const order = { homeId, id, epoch: row.epoch, actor: "owner", reason: "A test goes on.", force: true };
      await (row.state === "rolling_back" ? control.abort(order) : control.advance(order));
    }
  }

  return {
    legacy,
    store,
    control,
    begin,
    get,
    force,
    stop: async () => {
      await legacy.stop();
      rmSync(data, { recursive: true, force: true });
    },
  };
}
