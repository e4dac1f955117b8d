import * as z from "zod";
import type { Migrations, TokenStore } from "../api/ports.ts";
import type { Clock } from "../base/clock.ts";
import { HearthlineError } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import type { DeviceIndex } from "../devices/index.ts";
import type { HomeKeys, Ledger } from "../ingest/index.ts";
import { type Control, createControl } from "../migration/control.ts";
import { planSchema } from "../migration/plan.ts";
import type { MigrationStore } from "../migration/ports.ts";
import { reportOf } from "../migration/report.ts";
import { signed } from "../migration/report-signature.ts";
import { wireTuning } from "../migration/tuning/wire.ts";
import type { Migration } from "../migration/types.ts";
import { wireChange, wireDifference, wireMigration, wireName } from "../migration/wire.ts";
import { ledgerOf, metricsOf, wireDifferenceCounts } from "./migration-figures.ts";
import { readPlan } from "./read-plan.ts";

export interface MigrationApiParts {
  readonly store: MigrationStore;
  readonly ledger: Pick<Ledger, "rows">;
  readonly index: Pick<DeviceIndex, "relayStatuses">;
  readonly tokens: Pick<TokenStore, "list">;
  /** The home's key signs its reports. */
  readonly keys: Pick<HomeKeys, "current">;
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: () => string;
}

/** The control plane as the API's port has it. */
export function createMigrationApi(parts: MigrationApiParts): Migrations {
  const { store, ledger, clock } = parts;
  const control = createControl(parts);
  const nowUs = () => clock.nowMs() * 1000;
  const wire = (migration: Migration) => wireMigration(migration, nowUs());

  /** undefined: there is none, of which nothing else is read. */
  async function ofOne<T>(homeId: string, id: string, read: (migration: Migration) => Promise<T>) {
    const migration = await store.get(homeId, id);
    return migration && read(migration);
  }

  return {
    planSchema: wirePlanSchema,
    async create({ homeId, actor }, body) {
      const read = readPlan(body);
      if ("errors" in read) return read;
      return { migration: wire(await control.plan(homeId, read.plan, actor)) };
    },
    list: async (homeId) => (await store.list(homeId)).map(wire),
    get: (homeId, id) => ofOne(homeId, id, async (migration) => wire(migration)),
    async change({ homeId, id, actor, epoch }, ask) {
      const order = { homeId, id, epoch, actor, ...(ask.reason !== undefined && { reason: ask.reason }) };
      if (ask.what === "reader") await needReader(parts, homeId, ask.reader);
      const changed = await ordered(control, order, ask);
      return changed && wire(changed);
    },
    audit: (homeId, id) => ofOne(homeId, id, async () => (await store.audit(homeId, id)).map(wireChange)),
    differences: (homeId, id) =>
      ofOne(homeId, id, async () => {
        const { count, examples } = await store.differences(homeId, id);
        const ordered = examples.toSorted((a, b) => a.atUs - b.atUs || (a.entityId < b.entityId ? -1 : 1));
        return { counts: wireDifferenceCounts({ count, examples }), differences: ordered.map(wireDifference) };
      }),
    metrics: (homeId, id) => ofOne(homeId, id, (migration) => metricsOf(parts, migration)),
    tuning: (homeId, id) => ofOne(homeId, id, async () => wireTuning(id, await store.memory(homeId, id, "tuning"))),
    report: (homeId, id) =>
      ofOne(homeId, id, async (migration) => {
        const [audit, differences, pairs, rows, key] = await Promise.all([
          store.audit(homeId, id),
          store.differences(homeId, id),
          store.pairs(homeId, id, migration.createdUs - 1),
          ledger.rows(homeId),
          parts.keys.current(homeId),
        ]);
        const report = reportOf({ migration, audit, differences, pairs, ledger: ledgerOf(rows), nowUs: nowUs() });
        return key ? signed(report, key) : { ...report, signature: null };
      }),
  };
}

type Ask = Parameters<Migrations["change"]>[1];
type Order = Parameters<Control["start"]>[0];

function ordered(control: Control, order: Order, ask: Ask): Promise<Migration | undefined> {
  switch (ask.what) {
    case "start":
    case "pause":
    case "resume":
      return control[ask.what](order);
    case "advance":
    case "abort":
      return control[ask.what]({ ...order, force: ask.force });
    case "rollback":
      return control.rollback({ ...order, at: ask.at });
    case "reader": {
      const { reader, force } = ask;
      return control.moveReader({ ...order, reader, force, to: ask.to === "split" ? undefined : ask.to });
    }
  }
}

/** The schema of plans under the names that a body has; for the document, which knows no defaults of its own. */
const wirePlanSchema = renamedSchema(planSchema).meta({ id: "MigrationPlan" });

function renamedSchema(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodObject) {
    const members = Object.entries(schema.shape as Record<string, z.ZodType>);
    return z.strictObject(Object.fromEntries(members.map(([name, member]) => [wireName(name), renamedSchema(member)])));
  }
  if (schema instanceof z.ZodPrefault) return renamedSchema(schema.def.innerType as z.ZodType).optional();
  return schema;
}

async function needReader({ tokens }: MigrationApiParts, homeId: string, reader: string): Promise<void> {
  const names = (await tokens.list(homeId)).map(({ name }) => name);
  if (names.includes(reader)) return;
  const there = [...new Set(names)].slice(0, 20).map((name) => `"${name}"`);
  throw new HearthlineError(
    "not_found",
    `The reader "${reader}" was to be moved, but no token of this home has that name; there are ${there.join(", ")}.`,
  );
}
