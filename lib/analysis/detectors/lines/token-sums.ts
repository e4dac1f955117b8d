import type { TokensRow } from "./rows.ts";

/** Of a pair of tokens: how often within the near and the far window, how often by an automation, and on how many days. */
export interface PairSum {
  readonly target: string;
  readonly trigger: string;
  readonly near: number;
  readonly far: number;
  readonly automated: number;
  readonly days: number;
}

/** Sums of the rows of many days. Names are numbered as they come, and pairs lie in a hash table of numbers: 90 days of a large home have a quarter of a million. */
export interface TokenSums {
  add(row: TokensRow): void;
  /** Each token, and how often it came. */
  readonly counts: ReadonlyMap<string, number>;
  /** How many tokens have triggers. */
  targets(): number;
  /** Every pair for which it holds, in no order. */
  pairs(holds?: (sum: PairSum) => boolean): PairSum[];
}

const FIELDS = 4;
const SLOTS = 1 << 12;
/** Five for each pair in a row: see TokensRow. */
const PAIR = 5;

interface Table {
  /** Target and trigger by turns; -1: empty. */
  readonly keys: Int32Array;
  readonly sums: Float64Array;
}

const newTable = (slots: number): Table => ({
  keys: new Int32Array(2 * slots).fill(-1),
  sums: new Float64Array(FIELDS * slots),
});

/** Where the pair is, or would be. */
function slotOf({ keys }: Table, target: number, trigger: number): number {
  const mask = keys.length / 2 - 1;
  let slot = (Math.imul(target, 0x9e3779b1) ^ Math.imul(trigger, 0x85ebca6b)) >>> 0;
  slot = (slot ^ (slot >>> 15)) & mask;
  while (keys[2 * slot] !== -1 && (keys[2 * slot] !== target || keys[2 * slot + 1] !== trigger))
    slot = (slot + 1) & mask;
  return slot;
}

function grown(table: Table): Table {
  // Each growing costs as much as all pairs: four times as large, it is seldom.
  const larger = newTable(2 * table.keys.length);
  for (let slot = 0; 2 * slot < table.keys.length; slot++) {
    const target = table.keys[2 * slot] ?? -1;
    const trigger = table.keys[2 * slot + 1] ?? -1;
    if (target === -1) continue;
    const place = slotOf(larger, target, trigger);
    larger.keys[2 * place] = target;
    larger.keys[2 * place + 1] = trigger;
    for (let part = 0; part < FIELDS; part++)
      larger.sums[FIELDS * place + part] = table.sums[FIELDS * slot + part] ?? 0;
  }
  return larger;
}

export function createTokenSums(): TokenSums {
  const numbers = new Map<string, number>();
  const names: string[] = [];
  const counts = new Map<string, number>();
  const targets = new Set<number>();
  let table = newTable(SLOTS);
  let size = 0;

  function numberOf(name: string): number {
    const there = numbers.get(name);
    if (there !== undefined) return there;
    numbers.set(name, names.length);
    return names.push(name) - 1;
  }

  function addPair(target: number, trigger: number, pairs: readonly number[], index: number): void {
    let slot = slotOf(table, target, trigger);
    if (table.keys[2 * slot] === -1) {
      if (4 * ++size > table.keys.length) {
        table = grown(table);
        slot = slotOf(table, target, trigger);
      }
      table.keys[2 * slot] = target;
      table.keys[2 * slot + 1] = trigger;
      targets.add(target);
    }
    const { sums } = table;
    const at = FIELDS * slot;
    for (let part = 0; part < FIELDS - 1; part++)
      sums[at + part] = (sums[at + part] ?? 0) + (pairs[index + 2 + part] ?? 0);
    sums[at + 3] = (sums[at + 3] ?? 0) + 1;
  }

  return {
    counts,
    targets: () => targets.size,
    add({ names: own, n, pairs }) {
      const places = own.map((name, place) => {
        counts.set(name, (counts.get(name) ?? 0) + (n[place] ?? 0));
        return numberOf(name);
      });
      for (let index = 0; index < pairs.length; index += PAIR) {
        const [target, trigger] = [places[pairs[index] ?? 0], places[pairs[index + 1] ?? 0]];
        if (target !== undefined && trigger !== undefined) addPair(target, trigger, pairs, index);
      }
    },
    pairs(holds = () => true) {
      const found: PairSum[] = [];
      const { keys, sums } = table;
      for (let slot = 0; 2 * slot < keys.length; slot++) {
        const target = keys[2 * slot] ?? -1;
        if (target === -1) continue;
        const at = FIELDS * slot;
        const pair = {
          target: names[target] ?? "",
          trigger: names[keys[2 * slot + 1] ?? 0] ?? "",
          near: sums[at] ?? 0,
          far: sums[at + 1] ?? 0,
          automated: sums[at + 2] ?? 0,
          days: sums[at + 3] ?? 0,
        };
        if (holds(pair)) found.push(pair);
      }
      return found;
    },
  };
}
