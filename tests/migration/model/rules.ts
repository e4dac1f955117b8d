import { unpack } from "../../../lib/adapters/dynamodb/packed.ts";
import { type AuditEntry, type Migration, STEP } from "../../../lib/migration/types.ts";
import type { Happened } from "./happened.ts";
import type { People } from "./people.ts";
import { ReadRules } from "./read-rules.ts";
import { RowRules } from "./row-rules.ts";
import { ALLOWED_LAG_MS } from "./wanted.ts";
import { MINUTE_MS } from "./weather.ts";
import { atMsOf, type World } from "./world.ts";

/** Whatever is let through, these must complete. */
const HARMLESS: ReadonlySet<string> = new Set(["fair", "cut-new", "cut-old"]);

/** All rules: looked at whenever something is written or read, and when all is over. */
export class Rules {
  readonly #world: World;
  readonly rows: RowRules;
  readonly reads: ReadRules;

  constructor(world: World, people: People) {
    this.#world = world;
    this.rows = new RowRules(world, people);
    this.reads = new ReadRules(world, this.rows.rows);
    world.items.onPut = (item, before) => {
      if (item.migration_id !== undefined && item.packed !== undefined) this.rows.onRow(item, before);
      else if (item.fence !== undefined && item.data !== undefined) this.reads.onPointer(item);
    };
  }

  /** When all is over: it has ended, nothing was lost, and the audit has every epoch once. */
  async end(): Promise<void> {
    const { row, endedMs } = this.rows;
    if (!row || endedMs === undefined) return this.#world.wrong("it always ends", wordsOf(row));
    this.#wantAll(row, endedMs);
    if (HARMLESS.has(this.#world.weather.kind) && row.state !== "complete")
      this.#world.wrong("what is well completes", `${row.state}: ${row.reason}`);
    await this.#wantAudit(row);
  }

  #wantAll({ state, lastChange }: Migration, endedMs: number): void {
    const { happened, sim, weather, oldRows, isPastForced } = this.#world;
    const isWanted = ({ oldMs }: Happened) => oldMs !== 0 || !isPastForced;
    const settled = happened.filter((each) => isWanted(each) && atMsOf(sim, each) < endedMs - ALLOWED_LAG_MS);
    const inNew = settled.filter(({ newMs, lostByNew }) => newMs !== undefined && !lostByNew);
    if (state === "complete" && inNew.length < settled.length)
      this.#world.wrong("NEW has everything when it is complete", `${settled.length - inNew.length} are lost`);
    if (state !== "rolled_back" || lastChange?.from !== "rolling_back" || lastChange.actor !== STEP) return;
    const there = new Set(oldRows);
    // What the relay still holds for OLD comes there by itself.
    const isOnItsWay = weather.fedBy === "relay" && weather.cuts.old !== undefined;
    const lost = inNew.filter((each) => !there.has(each) && (each.lostByOld || !isOnItsWay));
    if (lost.length > 0)
      this.#world.wrong("OLD has everything that NEW got after a rollback", `${lost.length} are lost`);
  }

  async #wantAudit(row: Migration): Promise<void> {
    const { sim } = this.#world;
    let isDone = false;
    this.#audit(row)
      .catch((thrown: unknown) => this.#world.wrong("the audit can be read", String(thrown)))
      .finally(() => {
        isDone = true;
      });
    await sim.run(sim.nowMs + MINUTE_MS, () => isDone);
  }

  async #audit({ homeId, id, epoch, state }: Migration): Promise<void> {
    const { sim, items } = this.#world;
    const wrong = (words: string) => this.#world.wrong("the audit has every epoch once", words);
    const store = this.#world.store(sim.life("auditor"));
    const audit = await store.audit(homeId, id);
    const told = audit.map((entry) => entry.epoch).join();
    if (told !== Array.from({ length: epoch }, (_, at) => at + 1).join()) wrong(told);
    const kept = [...items.map.values()].filter(({ sk }) => sk.startsWith("MIGRATIONAUDIT"));
    const epochs = kept.map(({ packed }) => (unpack(packed)[0] as AuditEntry).epoch);
    if (new Set(epochs).size !== epochs.length) wrong(`kept are ${epochs.join()}`);
    for (const entry of audit)
      if (JSON.stringify(entry) !== JSON.stringify(this.rows.rows.get(entry.epoch)?.lastChange))
        this.#world.wrong("the audit says what was done", `epoch ${entry.epoch}`);
    if ((await store.underWay()).length > 0) this.#world.wrong("what has ended is not under way", state);
    const pointed = this.reads.pointer?.epoch;
    if (pointed !== epoch) this.#world.wrong("the last pointer is the last row's", `${pointed} instead of ${epoch}`);
  }
}

const wordsOf = (row: Migration | undefined): string =>
  `${row?.state} ${row?.stagePercent}: ${row?.checks
    .filter(({ verdict }) => verdict !== "pass")
    .map(({ name, verdict, explanation }) => `${name} ${verdict}: ${explanation}`)
    .join(" ")}`;
