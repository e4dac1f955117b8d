import { atOnce } from "./at-once.ts";
import { dayPrefix, HOT, homePrefix } from "./names.ts";
import type { HotSegments, ObjectStore, SegmentName } from "./ports.ts";

/** One object a segment costs nothing more to store when it is large. */
const MAX_BYTES = 16 * 1024 * 1024;
const GETS_AT_ONCE = 16;
const PUTS_AT_ONCE = 8;
const ENDING = ".seg";
/** Directly in its day's folder: what somebody has put deeper is his own. */
const SEGMENT = /^hot\/home=[^/]+\/day=(\d{4}-\d\d-\d\d)\/([0-9a-z-]+)\.seg$/;

/** Segments as objects beside the day files: nothing more is needed, and each write costs a request. */
export function createObjectSegments(objects: ObjectStore): HotSegments {
  const nameOf = (homeId: string, { day, name }: SegmentName): string =>
    `${dayPrefix(HOT, homeId, day)}${name}${ENDING}`;

  async function list(homeId: string, fromDay: string, toDay: string): Promise<readonly SegmentName[]> {
    const prefix = homePrefix(HOT, homeId);
    // A slash sorts before a zero: `until` is behind all of the last day.
    const bounds = { after: `${prefix}day=${fromDay}`, until: `${prefix}day=${toDay}0` };
    const found: SegmentName[] = [];
    for (const { name } of await objects.list(prefix, bounds)) {
      const [, day, segment] = SEGMENT.exec(name) ?? [];
      if (day !== undefined && segment !== undefined) found.push({ day, name: segment });
    }
    return found;
  }

  return {
    maxBytes: MAX_BYTES,
    append: async (segments) => {
      await atOnce(PUTS_AT_ONCE, segments, ({ homeId, segment, bytes }) => objects.put(nameOf(homeId, segment), bytes));
    },
    newest: async (homeId, day) => (await list(homeId, day, day)).at(-1)?.name,
    list,
    get: async (homeId, day, names) => {
      const found = await atOnce(GETS_AT_ONCE, names, (name) => objects.get(nameOf(homeId, { day, name })));
      const there = new Map<string, Uint8Array>();
      for (const [index, name] of names.entries()) {
        const bytes = found[index];
        if (bytes) there.set(name, bytes);
      }
      return there;
    },
    remove: (homeId, day, names) => objects.remove(names.map((name) => nameOf(homeId, { day, name }))),
    drop: async () => objects.remove((await objects.list(HOT)).map(({ name }) => name)),
  };
}
