import type { ChangeKind, FieldChange, RowChange } from "./registry-change.ts";
import { deviceMarks, entityIdentity, factsOf, ID_OF, toFact } from "./row-facts.ts";
import type { Device, Entity, IndexedRows, RegistryRows } from "./rows.ts";

/** Where a row stands: when one of these changes, it has moved. */
const PLACES: ReadonlySet<string> = new Set(["areaId", "deviceId", "parentDeviceId", "floorId"]);

/** Told first, kept first when there are too many. */
const RANK: Readonly<Record<ChangeKind, number>> = {
  split: 0,
  branched: 1,
  replaced: 2,
  renamed: 3,
  moved: 4,
  removed: 5,
  added: 6,
  changed: 7,
};

/** Changes of one revision that are kept (chosen by us: an upgrade of Home Assistant touches every device once). */
const CHANGES_MAX = 2_000;
/** And their bytes of JSON: they lie in one item of DynamoDB, which holds 400 KB. */
const CHANGES_MAX_BYTES = 380_000;

/** What more newcomers than that have in common marks none of them. */
const HEIRS_MAX = 100;

interface Pair<Row> {
  readonly before: Row | undefined;
  readonly after: Row | undefined;
}

/**
 * What happened between two revisions of a registry, each row told once: an entity under another id is `renamed`, a device under another id `replaced`, a device that
 * became several `split`, a device that got child devices `branched` (2026.8 and later), not removed and added. Rows that are in both alike may be left out of both.
 */
export function diffRows<N extends IndexedRows>(
  registry: N,
  before: readonly RegistryRows[N][],
  after: readonly RegistryRows[N][],
): RowChange[] {
  const pairs = registry === "entities" ? entityPairs(rowsOf<Entity>(before), rowsOf<Entity>(after)) : undefined;
  const plain = (pairs ?? pairsBy(ID_OF[registry], before, after)) as Pair<RegistryRows[N]>[];
  const changes = plain.flatMap((pair) => changeOf(registry, pair));
  return ranked(registry === "devices" ? foldDevices(changes, rowsOf<Device>(before), rowsOf<Device>(after)) : changes);
}

/** What the name of the registry says, and the compiler cannot follow. */
const rowsOf = <Row>(rows: readonly unknown[]): readonly Row[] => rows as readonly Row[];

/** The most telling ones that fit, and how many were left out. */
export function boundChanges(changes: readonly RowChange[]): { changes: readonly RowChange[]; omitted: number } {
  let bytes = 0;
  const kept: RowChange[] = [];
  for (const change of changes) {
    if (kept.length >= CHANGES_MAX) break;
    const own = Buffer.byteLength(JSON.stringify(change)) + 1;
    // One that is too large by itself (a device with thousands of children) leaves the room to the others.
    if (bytes + own > CHANGES_MAX_BYTES) continue;
    bytes += own;
    kept.push(change);
  }
  return { changes: kept, omitted: changes.length - kept.length };
}

const ranked = (changes: readonly RowChange[]): RowChange[] =>
  changes.toSorted((a, b) => RANK[a.kind] - RANK[b.kind] || (a.id < b.id ? -1 : Number(a.id > b.id)));

function pairsBy<Row>(keyOf: (row: Row) => string, before: readonly Row[], after: readonly Row[]): Pair<Row>[] {
  const old = new Map(before.map((row) => [keyOf(row), row]));
  const now = new Map(after.map((row) => [keyOf(row), row]));
  return [...new Set([...old.keys(), ...now.keys()])].map((key) => ({ before: old.get(key), after: now.get(key) }));
}

/** By what makes an entity the same; then by id, for one that got another unique id in its place. */
function entityPairs(before: readonly Entity[], after: readonly Entity[]): Pair<Entity>[] {
  const same = pairsBy(entityIdentity, before, after);
  const whole = same.filter((pair) => pair.before && pair.after);
  const halves = same.filter((pair) => !pair.before || !pair.after);
  return [
    ...whole,
    ...pairsBy(
      ID_OF.entities,
      halves.flatMap((pair) => pair.before ?? []),
      halves.flatMap((pair) => pair.after ?? []),
    ),
  ];
}

function changeOf<N extends IndexedRows>(registry: N, { before, after }: Pair<RegistryRows[N]>): RowChange[] {
  const row = after ?? before;
  if (!row) return [];
  const id = ID_OF[registry](row);
  const told = { registry, id, ...labelOf(row) };
  if (!before || !after) return [{ ...told, kind: after ? "added" : "removed", fields: [] }];
  const fields = fieldChanges(registry, before, after);
  const idBefore = ID_OF[registry](before);
  if (idBefore !== id) return [{ ...told, kind: "renamed", before: idBefore, fields }];
  if (fields.length === 0) return [];
  return [{ ...told, kind: fields.some(({ field }) => PLACES.has(field)) ? "moved" : "changed", fields }];
}

/** For whoever reads it: its name, and of an entity the device whose it is. */
function labelOf(row: RegistryRows[IndexedRows]): Pick<RowChange, "name" | "deviceId"> {
  const name = "friendlyName" in row ? row.friendlyName : row.name;
  return {
    ...(name !== undefined && { name }),
    ...("entityId" in row && row.deviceId !== undefined && { deviceId: row.deviceId }),
  };
}

function fieldChanges(registry: IndexedRows, before: object, after: object): FieldChange[] {
  const [old, now] = [factsOf(registry, before), factsOf(registry, after)];
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((field) => {
    const [from, to] = changedParts(old.get(field), now.get(field));
    if (JSON.stringify(from) === JSON.stringify(to)) return [];
    const [fromFact, toFactValue] = [toFact(from), toFact(to)];
    return [
      {
        field,
        ...(fromFact !== undefined && { from: fromFact }),
        ...(toFactValue !== undefined && { to: toFactValue }),
      },
    ];
  });
}

/** Of lists of objects (features) only those that differ: the whole list would say nothing to anybody. */
function changedParts(from: unknown, to: unknown): readonly [unknown, unknown] {
  const areObjects = [from, to].every((list) => Array.isArray(list) && list.every((one) => one?.name !== undefined));
  if (!areObjects) return [from, to];
  const texts = (list: unknown) => new Set((list as unknown[]).map((one) => JSON.stringify(one)));
  const without = (list: unknown, others: Set<string>) =>
    (list as unknown[]).filter((one) => !others.has(JSON.stringify(one)));
  return [without(from, texts(to)), without(to, texts(from))];
}

/** Ties what was removed to what was added by the marks of devices, and children to the parent that was there. */
function foldDevices(
  changes: readonly RowChange[],
  before: readonly Device[],
  after: readonly Device[],
): readonly RowChange[] {
  const idsOf = (kind: ChangeKind) => new Set(changes.flatMap((change) => (change.kind === kind ? change.id : [])));
  const [removed, added] = [idsOf("removed"), idsOf("added")];
  const newcomers = after.filter(({ deviceId }) => added.has(deviceId));
  const heirsOf = createHeirs(newcomers);
  const afterById = new Map(after.map((device) => [device.deviceId, device]));
  const told = new Set<string>();
  const folded: RowChange[] = [];
  for (const old of before.filter(({ deviceId }) => removed.has(deviceId))) {
    const heirs = heirsOf(old);
    const [heir] = heirs;
    if (!heir) continue;
    for (const id of [old, ...heirs].map(({ deviceId }) => deviceId)) told.add(id);
    const fields = fieldChanges("devices", old, heir);
    folded.push(
      heirs.length > 1
        ? { ...base(old), kind: "split", into: heirs.map(({ deviceId }) => deviceId), fields: [] }
        : { ...base(heir), kind: "replaced", before: old.deviceId, fields },
    );
  }
  const children = newcomers.filter(
    ({ deviceId, parentDeviceId }) => parentDeviceId !== undefined && !added.has(parentDeviceId) && !told.has(deviceId),
  );
  for (const [parentId = "", ofParent] of Map.groupBy(children, ({ parentDeviceId }) => parentDeviceId)) {
    for (const { deviceId } of ofParent) told.add(deviceId);
    const parent = afterById.get(parentId);
    const into = ofParent.map(({ deviceId }) => deviceId);
    const named = parent ? base(parent) : { registry: "devices" as const, id: parentId };
    folded.push({ ...named, kind: "branched", into, fields: [] });
  }
  const rest = changes.filter(({ id, kind }) => !(told.has(id) && (kind === "removed" || kind === "added")));
  return [...folded, ...rest];
}

/** The newcomers that share a mark with a device, in their order. By mark, because a new set-up of Home Assistant gives every device another id. */
function createHeirs(newcomers: readonly Device[]): (old: Device) => Device[] {
  const byMark = new Map<string, number[]>();
  newcomers.forEach((device, at) => {
    for (const mark of deviceMarks(device)) {
      const holders = byMark.get(mark) ?? [];
      holders.push(at);
      byMark.set(mark, holders);
    }
  });
  return (old) => {
    const found = new Set(
      deviceMarks(old).flatMap((mark) => {
        const holders = byMark.get(mark) ?? [];
        return holders.length <= HEIRS_MAX ? holders : [];
      }),
    );
    return [...found].sort((a, b) => a - b).flatMap((at) => newcomers[at] ?? []);
  };
}

const base = ({ deviceId, name }: Device) => ({ registry: "devices" as const, id: deviceId, name });
