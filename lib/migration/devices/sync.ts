import {
  CONFLICT_FIELDS,
  type Conflict,
  type ConflictField,
  HOME_ASSISTANT,
  isSameValue,
} from "../../devices/index.ts";
import type { OldDevice } from "../ports.ts";
import { digestOf, readKnown } from "./known.ts";
import { contentOf, type DeviceValues, keyOf, type NewList, readNewList, valuesOfOld } from "./lists.ts";
import { type DeviceMatch, type DevicePair, matchDevices } from "./match.ts";
import { boundRefused, countChanges, type DeviceMemory, linksOf, oldChangedAtMs, rememberRows } from "./memory.ts";
import { parityOf } from "./parity.ts";
import { OLD_LIST, planSync, type SyncPlan, type Write } from "./plan.ts";
import type { SyncOptions, SyncPorts, SyncRun } from "./run.ts";

/** Rows of one call, and of one run: a step is short, and OLD may be a small machine (chosen by us). */
const PUT_ROWS = 100;
const RUN_ROWS_MAX = 1_000;

/**
 * One run: both lists are read, matched and settled; conflicts are recorded before anything is written, so that none is lost that the writing ends; OLD gets what holds, and both are read again. What was
 * done before a crash is seen in OLD's list: nothing is done twice.
 * @throws what the ports throw: safe to repeat
 */
export async function syncDevices(
  homeId: string,
  ports: SyncPorts,
  options: SyncOptions,
): Promise<{ readonly run: SyncRun; readonly memory: DeviceMemory }> {
  const { clock } = ports;
  const startedMs = clock.monotonicMs();
  const session = new Session(homeId, ports, options);
  await session.read();
  const isUnchanged = session.isAsRemembered() && !options.isComplete;
  if (!isUnchanged) await session.bringInStep();
  return session.finish(isUnchanged, clock.monotonicMs() - startedMs);
}

class Session {
  readonly #homeId: string;
  readonly #ports: SyncPorts;
  readonly #options: SyncOptions;
  #list: NewList = { devices: [], labelNames: new Map(), lastChangeMs: () => undefined };
  #match: DeviceMatch = { pairs: [], onlyOld: [], onlyNew: [], ambiguous: [], repeated: 0 };
  #known: ReadonlyMap<string, Conflict> = new Map();
  #changed = { inOld: 0, inNew: 0 };
  /** As it was before we wrote, by device. */
  #changedAtMs: ReadonlyMap<string, number | undefined> = new Map();
  #plan: SyncPlan = { writes: [], conflicts: [], keptInOld: 0 };
  #tally = { added: 0, dropped: 0 };
  #refused: DeviceMemory["refused"];
  #unkept: Set<ConflictField>;
  #written = new Map<string, Write>();
  #left = 0;
  /** What the store should have when all is done: of the lists as they are then. */
  #after: readonly Conflict[] = [];

  constructor(homeId: string, ports: SyncPorts, options: SyncOptions) {
    this.#homeId = homeId;
    this.#ports = ports;
    this.#options = options;
    this.#refused = options.isComplete ? {} : options.memory.refused;
    this.#unkept = new Set(options.isComplete ? [] : options.memory.unkept);
  }

  async read(): Promise<void> {
    const { memory } = this.#options;
    const [list, old, known] = await Promise.all([
      readNewList(this.#homeId, this.#ports),
      this.#ports.old.list(),
      readKnown(this.#homeId, this.#ports),
    ]);
    this.#list = list;
    this.#known = known;
    this.#match = matchDevices(old, list.devices, linksOf(memory));
    this.#changed = countChanges(this.#match.pairs, memory, list.labelNames);
    this.#changedAtMs = new Map(
      this.#match.pairs.map((pair) => [pair.fresh.device.deviceId, this.#changedByOthers(pair)]),
    );
  }

  /** Nothing has changed since the last run, which left nothing to do. */
  isAsRemembered(): boolean {
    const { memory } = this.#options;
    const { pairs, onlyNew } = this.#match;
    const isSameCount = Object.keys(memory.rows).length === pairs.length;
    const isSame = this.#changed.inOld === 0 && this.#changed.inNew === 0 && isSameCount;
    const isNothingNew = onlyNew.every(
      ({ device, values }) => memory.refused[keyOf(device.deviceId)]?.content === contentOf(values),
    );
    return isSame && isNothingNew && memory.isInStep && memory.conflicts === digestOf([...this.#known.values()]);
  }

  async bringInStep(): Promise<void> {
    this.#plan = this.#planned();
    const { clock, conflicts } = this.#ports;
    this.#tally = await conflicts.note(this.#homeId, {
      newSource: HOME_ASSISTANT,
      oldSource: OLD_LIST,
      found: this.#plan.conflicts,
      atMs: clock.nowMs(),
    });
    const refused = this.#plan.writes.filter(this.#isRefused);
    const stillRefused = new Set(refused.map(({ deviceId }) => keyOf(deviceId)));
    this.#refused = Object.fromEntries(Object.entries(this.#refused).filter(([key]) => stillRefused.has(key)));
    await this.#write(this.#plan.writes.filter((write) => !this.#isRefused(write)));
    this.#after = this.#plan.conflicts;
    if (this.#written.size > 0) await this.#readBack();
  }

  finish(isUnchanged: boolean, durationMs: number): { readonly run: SyncRun; readonly memory: DeviceMemory } {
    const { memory } = this.#options;
    const nowUs = this.#ports.clock.nowMs() * 1000;
    const taken = [...this.#written.values()].filter((write) => !this.#isRefused(write));
    const idOf = new Map(this.#plan.writes.map((write) => [keyOf(write.deviceId), write.row.id]));
    const run: SyncRun = {
      isUnchanged,
      match: this.#match,
      changed: this.#changed,
      conflicts: { found: this.#plan.conflicts, ...this.#tally },
      created: taken.filter(({ isCreated }) => isCreated).length,
      updated: taken.filter(({ isCreated }) => !isCreated).length,
      left: this.#left,
      refused: Object.entries(this.#refused).map(([key, { reason, isKept }]) => ({
        id: idOf.get(key) ?? key,
        reason,
        isKept,
      })),
      keptInOld: this.#plan.keptInOld,
      parity: parityOf(this.#match.pairs),
      durationMs,
    };
    if (isUnchanged) return { run, memory };
    const isInStep = this.#left === 0 && run.refused.every(({ isKept }) => isKept);
    const hadToWrite = this.#written.size > 0 || this.#left > 0;
    const sinceUs = memory.outSinceUs ?? (hadToWrite ? nowUs - durationMs * 1000 : undefined);
    const { outSinceUs: _, ...kept } = memory;
    const next: DeviceMemory = {
      ...kept,
      rows: rememberRows(this.#match.pairs, (pair) => this.#changedByOthers(pair), this.#list.labelNames),
      refused: boundRefused(this.#refused),
      unkept: [...this.#unkept],
      conflicts: digestOf(this.#after),
      isInStep,
      round: this.#left === 0 ? 0 : memory.round + 1,
      rowsWritten: memory.rowsWritten + taken.length,
      ...(!isInStep && sinceUs !== undefined && { outSinceUs: sinceUs }),
      ...(isInStep && sinceUs !== undefined && { settledSeconds: (nowUs - sinceUs) / 1e6 }),
    };
    return { run, memory: next };
  }

  #changedByOthers(pair: DevicePair): number | undefined {
    const { deviceId } = pair.fresh.device;
    if (this.#written.has(deviceId)) return this.#changedAtMs.get(deviceId);
    const known = this.#options.memory.rows[keyOf(deviceId)];
    return oldChangedAtMs(pair, known, { labels: this.#list.labelNames, nowMs: this.#ports.clock.nowMs() });
  }

  #planned(): SyncPlan {
    return planSync(this.#match, this.#list, {
      rules: this.#options.rules,
      clock: this.#ports.clock,
      known: this.#known,
      oldChangedAtMs: ({ fresh }) => this.#changedAtMs.get(fresh.device.deviceId),
      unkept: this.#unkept,
    });
  }

  #contentOf = ({ row }: Write): string => contentOf(valuesOfOld(row, this.#list.labelNames));

  #isRefused = (write: Write): boolean => this.#refused[keyOf(write.deviceId)]?.content === this.#contentOf(write);

  #refuse(write: Write, reason: string, isKept: boolean): void {
    this.#refused = { ...this.#refused, [keyOf(write.deviceId)]: { content: this.#contentOf(write), reason, isKept } };
  }

  async #write(wanted: readonly Write[]): Promise<void> {
    // Not always from the first: a thousand rows that OLD refuses must not keep the others waiting for ever.
    const from = wanted.length > RUN_ROWS_MAX ? (this.#options.memory.round * RUN_ROWS_MAX) % wanted.length : 0;
    const writes = [...wanted.slice(from), ...wanted.slice(0, from)];
    let done = 0;
    while (done < Math.min(writes.length, RUN_ROWS_MAX) && !this.#options.signal.aborted) {
      const batch = writes.slice(done, done + PUT_ROWS);
      const { refused } = await this.#ports.old.put(batch.map(({ row }) => row));
      const reasons = new Map(refused.map(({ id, reason }) => [id, reason]));
      for (const write of batch) {
        const reason = reasons.get(write.row.id);
        if (reason !== undefined) this.#refuse(write, reason.slice(0, 200), true);
      }
      for (const write of batch) this.#written.set(write.deviceId, write);
      done += batch.length;
    }
    this.#left = writes.length - done;
  }

  /** OLD's own word, not its acknowledgement: what was written must be there, and nothing else is missing. */
  async #readBack(): Promise<void> {
    const rows = await this.#ports.old.list();
    this.#noteUnkept(rows);
    this.#match = matchDevices(rows, this.#list.devices, this.#linksNow());
    this.#after = this.#planned().conflicts;
    const there = new Map(rows.map((row) => [row.id, valuesOfOld(row, this.#list.labelNames)]));
    for (const write of this.#written.values())
      if (!this.#isRefused(write) && !this.#isThere(write, there.get(write.row.id)))
        this.#refuse(write, "OLD took it, and what it gives back is not what it took", false);
  }

  #isThere({ row }: Write, values: DeviceValues | undefined): boolean {
    const given = valuesOfOld(row, this.#list.labelNames);
    return CONFLICT_FIELDS.every((field) => {
      const [wanted, found] = [given[field], values?.[field]];
      if (wanted === undefined || this.#unkept.has(field)) return true;
      return found !== undefined && isSameValue(wanted, found);
    });
  }

  #linksNow(): ReadonlyMap<string, string> {
    const linked = this.#match.pairs.filter(({ old, fresh }) => old.id !== fresh.device.deviceId);
    return new Map(linked.map(({ old, fresh }) => [keyOf(old.id), keyOf(fresh.device.deviceId)]));
  }

  /** A field of which no row has anything, though some were given it: OLD has no place for it. */
  #noteUnkept(rows: readonly OldDevice[]): void {
    const { labelNames } = this.#list;
    const there = rows.map((row) => valuesOfOld(row, labelNames));
    for (const field of CONFLICT_FIELDS) {
      const wasGiven = [...this.#written.values()].some(
        (write) => !this.#isRefused(write) && valuesOfOld(write.row, labelNames)[field] !== undefined,
      );
      if (wasGiven && there.every((values) => values[field] === undefined)) this.#unkept.add(field);
    }
  }
}
