import type { DeviceUtilisation, UtilisationStore } from "../../analysis/ports.ts";
import type { AbilityStore, HomeAbilities } from "../../devices/ports.ts";
import { compareAndSet } from "./compare-and-set.ts";
import { abilitiesKey, abilityPieceKey, type Key, utilisationKey, utilisationPieceKey } from "./keys.ts";
import { createPieces } from "./pieces.ts";
import type { Table } from "./table.ts";

interface Whole {
  /** Its own members, beside the rows. */
  readonly facts: Readonly<{ [name: string]: unknown }>;
  readonly rows: readonly unknown[];
}

interface Places {
  readonly name: string;
  readonly keyOf: (homeId: string) => Key;
  readonly pieceKey: (homeId: string, at: { write: string; piece: number }) => Key;
}

/** One record of a home: read whole, written whole once a night, in pieces when it is large. */
function createRecord(table: Table, { name, keyOf, pieceKey }: Places) {
  const pieces = createPieces(table, pieceKey);
  return {
    async get(homeId: string): Promise<Whole | undefined> {
      const key = keyOf(homeId);
      const item = await table.get(key);
      const found = item && (await pieces.read(homeId, item, { key, name }));
      return found && { facts: JSON.parse(String(found.head.facts)), rows: found.rows };
    },
    put: (homeId: string, { facts, rows }: Whole): Promise<void> =>
      compareAndSet(table, async () => {
        const item = await table.get(keyOf(homeId));
        const head = { ...keyOf(homeId), facts: JSON.stringify(facts) };
        await pieces.replace(homeId, item, { head, rows, write: name, isOnlyOne: true });
      }),
  };
}

/** What a night of features found, as one record. */
export function createDynamodbUtilisationStore(table: Table): UtilisationStore {
  const places = { name: "utilisation", keyOf: utilisationKey, pieceKey: utilisationPieceKey };
  const record = createRecord(table, places);
  return {
    async get(homeId) {
      const found = await record.get(homeId);
      return found && { date: String(found.facts.date), devices: found.rows as DeviceUtilisation[] };
    },
    put: (homeId, { date, devices }) => record.put(homeId, { facts: { date }, rows: devices }),
  };
}

/** What the entities have said that they can do, as one record. */
export function createDynamodbAbilityStore(table: Table): AbilityStore {
  const record = createRecord(table, { name: "abilities", keyOf: abilitiesKey, pieceKey: abilityPieceKey });
  return {
    async get(homeId) {
      const found = await record.get(homeId);
      return found && ({ ...found.facts, entities: found.rows } as unknown as HomeAbilities);
    },
    put: (homeId, { entities, ...facts }) => record.put(homeId, { facts, rows: entities }),
  };
}
