import { createHash } from "node:crypto";
import { HearthlineError } from "../../base/errors.ts";
import {
  type DeviceIndex,
  diffRows,
  type IndexedRows,
  type RegistryParts,
  type RegistryRows,
  uniqueRows,
} from "../../devices/ports.ts";
import { REGISTRIES } from "../../event/index.ts";
import { compareAndSet, nextVersion, unchangedSince } from "./compare-and-set.ts";
import { createHistory } from "./history.ts";
import { type Key, keyParts, prefixOf, registryKey, rowsKey } from "./keys.ts";
import { packPieces, unpack } from "./packed.ts";
import type { Reading, Table } from "./table.ts";
import type { Item } from "./wire-item.ts";

/** Where the rows of one part lie: written with revision `at`, in so many pieces. A part that has not changed stays where it was. */
interface Place {
  readonly at: number;
  readonly pieces: number;
  readonly digest: string;
}

interface Revision {
  readonly revision: number;
  /** How many parts make it whole. */
  readonly of: number;
  /** By the number of the part. */
  readonly parts: Readonly<Record<string, Place>>;
}

interface Control {
  readonly complete?: Revision;
  /** A newer revision of which parts are missing. */
  readonly pending?: Revision;
}

/**
 * Old pieces deleted at once: so many, or half of them. A delete costs as many units as its item has kilobytes, and an upgrade of Home Assistant replaces every piece
 * of a large home in a second or two; what is left goes with the next revision.
 */
const STALE_AT_ONCE = 12;

/** A revision may be replaced between reading where its rows lie and reading them. */
const READ_ATTEMPTS = 5;

type RegistryOfIndex = Pick<DeviceIndex, "applyRegistry" | "applyRegistryParts" | "list" | "revisions" | "history">;

/**
 * Registries lie as packed pieces, not as an item a row: 5,000 entities are about 150 units instead of 5,000, and parts whose rows are what they were are not
 * written at all. Each revision has its own pieces and a control item says which hold, so readers see a whole revision (the first, while it is still coming, as far as it has).
 */
export function createRegistry(table: Table, reading: Reading = {}): RegistryOfIndex {
  const history = createHistory(table);

  const controlOf = async (homeId: string, registry: IndexedRows, how: Reading = {}) => {
    const item = await table.get(registryKey(homeId, registry), how);
    return { item, control: readControl(item) };
  };

  async function writeRows(key: (piece: number) => Key, rows: readonly unknown[]): Promise<number> {
    const pieces = packPieces(rows);
    await table.writeMany({ puts: pieces.map((packed, piece) => ({ ...key(piece), packed })) });
    return pieces.length;
  }

  async function deleteStale(homeId: string, registry: IndexedRows, { complete, pending }: Control): Promise<void> {
    if (!complete) return;
    const kept = new Set(
      [complete, pending].flatMap((one) => Object.entries(one?.parts ?? {}).map(([part, { at }]) => `${at}/${part}`)),
    );
    const stale: Key[] = [];
    for await (const { pk, sk } of table.query({
      pk: registryKey(homeId, registry).pk,
      prefix: prefixOf("ROWS", registry),
      keysOnly: true,
    })) {
      const [, , at, part] = keyParts(sk);
      // Pieces of a newer revision may be on their way in: only older ones are known to be in nobody's hands.
      if (Number(at) < complete.revision && !kept.has(`${Number(at)}/${Number(part)}`)) stale.push({ pk, sk });
    }
    await table.writeMany({ deletes: stale.slice(0, Math.max(STALE_AT_ONCE, Math.ceil(stale.length / 2))) });
  }

  async function readRows(
    homeId: string,
    registry: IndexedRows,
    { parts, how = {} }: { readonly parts: Revision["parts"]; readonly how?: Reading },
  ): Promise<unknown[] | undefined> {
    const keys = Object.entries(parts)
      .sort(([a], [b]) => Number(a) - Number(b))
      .flatMap(([part, { at, pieces }]) =>
        Array.from({ length: pieces }, (_, piece) =>
          rowsKey(homeId, { registry, revision: at, part: Number(part), piece }),
        ),
      );
    const items = new Map((await table.getMany(keys, how)).map((item) => [item.sk, item]));
    return items.size < keys.length ? undefined : keys.flatMap(({ sk }) => unpack(items.get(sk)?.packed));
  }

  /** What a revision changes, written before it holds: a crash in between makes its last part come again. Parts that stay where they were hold the same rows. */
  async function writeHistory(
    homeId: string,
    registry: IndexedRows,
    { before, next }: { readonly before: Revision; readonly next: Revision },
  ): Promise<void> {
    const changed = ({ parts }: Revision, other: Revision): Revision["parts"] =>
      Object.fromEntries(Object.entries(parts).filter(([part, { digest }]) => other.parts[part]?.digest !== digest));
    const [old, now] = [changed(before, next), changed(next, before)];
    if (Object.keys(old).length + Object.keys(now).length === 0) return;
    const [oldRows, nowRows] = await Promise.all([old, now].map((parts) => readRows(homeId, registry, { parts })));
    // Rows that are gone: a later revision is about to hold, and the condition of this one's write fails.
    if (!oldRows || !nowRows) return;
    const changes = diffRows(registry, oldRows as RegistryRows[IndexedRows][], nowRows as RegistryRows[IndexedRows][]);
    if (changes.length > 0)
      await history.write(homeId, { registry, revision: next.revision, from: before.revision, changes });
  }

  async function applyParts<N extends IndexedRows>(
    homeId: string,
    { registry, revision, parts: of, rowsByPart }: RegistryParts<N>,
  ): Promise<void> {
    const digests = new Map([...rowsByPart].map(([part, rows]) => [part, digestOf(rows)]));
    const written = new Map<number, Place>();
    const settled = await compareAndSet(table, async () => {
      const { item, control } = await controlOf(homeId, registry);
      let next = control;
      for (const [part, rows] of rowsByPart) {
        if (!isWanted(next, revision, part)) continue;
        const digest = digests.get(part) ?? "";
        const known = control.complete?.parts[part];
        let place = known?.digest === digest ? known : written.get(part);
        if (!place) {
          const keyOf = (piece: number) => rowsKey(homeId, { registry, revision, part, piece });
          place = { at: revision, digest, pieces: await writeRows(keyOf, rows) };
          written.set(part, place);
        }
        next = withPart(next, { revision, part, of, place });
      }
      if (next === control) return undefined;
      if (control.complete && next.complete && next.complete !== control.complete)
        await writeHistory(homeId, registry, { before: control.complete, next: next.complete });
      const version = nextVersion(item);
      await table.put({ ...registryKey(homeId, registry), data: JSON.stringify(next), version }, unchangedSince(item));
      return next;
    });
    if (settled?.complete?.revision === revision) await deleteStale(homeId, registry, settled);
  }

  return {
    history: history.history,

    applyRegistry: (homeId, { part, rows, ...revision }) =>
      applyParts(homeId, { ...revision, rowsByPart: new Map([[part, rows]]) }),
    applyRegistryParts: applyParts,

    async list<N extends IndexedRows>(homeId: string, registry: N) {
      for (let attempt = 1; ; attempt++) {
        // Who lags behind may be told of rows that are gone: then for certain.
        const how = attempt === 1 ? reading : {};
        const { control } = await controlOf(homeId, registry, how);
        const shown = control.complete ?? control.pending;
        const rows = shown ? await readRows(homeId, registry, { parts: shown.parts, how }) : [];
        if (rows) return uniqueRows(registry, rows as RegistryRows[N][]);
        // "No rows" would take every entity its device and area.
        if (attempt >= READ_ATTEMPTS)
          throw new HearthlineError(
            "conflict",
            `The registry "${registry}" of home "${homeId}" was read ${attempt} times, and each time its rows were gone.`,
          );
      }
    },

    async revisions(homeId, of = REGISTRIES) {
      const keys = of.map((registry) => registryKey(homeId, registry));
      const items = await table.getMany(keys, reading);
      return Object.fromEntries(
        items.flatMap((item) => {
          const revision = readControl(item).complete?.revision;
          return revision === undefined ? [] : [[keyParts(item.sk)[1], revision]];
        }),
      );
    },
  };
}

/** 96 bits: it tells rows that changed from rows that did not, and nobody gains by making it lie. Each is in every write of the control item. */
const digestOf = (rows: readonly unknown[]): string =>
  createHash("sha256").update(JSON.stringify(rows)).digest("base64url").slice(0, 16);

const readControl = (item: Item | undefined): Control =>
  typeof item?.data === "string" ? (JSON.parse(item.data) as Control) : {};

/** Is the part of the newest revision, and not there yet? */
function isWanted({ complete, pending }: Control, revision: number, part: number): boolean {
  if (complete && revision <= complete.revision) return false;
  if (!pending || revision > pending.revision) return true;
  return revision === pending.revision && pending.parts[part] === undefined;
}

function withPart(
  control: Control,
  { revision, part, of, place }: { revision: number; part: number; of: number; place: Place },
): Control {
  const before = control.pending?.revision === revision ? control.pending : { revision, of, parts: {} };
  const next: Revision = { ...before, parts: { ...before.parts, [part]: place } };
  if (Object.keys(next.parts).length >= next.of) return { complete: next };
  return { ...(control.complete && { complete: control.complete }), pending: next };
}
