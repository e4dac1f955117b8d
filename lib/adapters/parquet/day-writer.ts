import type { Microseconds } from "../../base/time.ts";
import { compareEvents, type HomeEvent } from "../../event/index.ts";
import type { DayReader } from "./day-reader.ts";
import { type DaySources, type DayState, daysOf } from "./day-state.ts";
import { createEventFileWriter } from "./file-writer.ts";
import { dayPrefix, digestOf, EVENTS, hashOf, partName, ROLLUPS, rollupName } from "./names.ts";
import { ObjectGone, type PartNotes, textsOf } from "./part-files.ts";
import { createDayRollup } from "./rollup-file.ts";

/** Rows that are sorted by entity together: what a page by time has to decode at most, and what one entity's rows have to share. */
const SLICE_ROWS = 32_768;

export interface Rewrite {
  /** How many events were left out. */
  readonly dropped: number;
  /** The new rollups; absent: nothing was left of the day. */
  readonly rollups?: string;
}

/**
 * Puts one day file (and its rollups) in the place of all that makes a day; what is before `keepFromUs` is left out, and a day of which nothing is left has no file.
 * In this order: rollups, day file, then what it replaces goes. Broken off anywhere, the day reads as before or as after, and the next time goes on.
 * @throws ObjectGone when somebody else was faster; nothing is lost then
 */
export async function rewriteDay(
  { sources, reader }: { readonly sources: DaySources; readonly reader: DayReader },
  state: DayState,
  keepFromUs: Microseconds = Number.NEGATIVE_INFINITY,
): Promise<Rewrite> {
  const { homeId, day } = state;
  const made = await writeParts(reader, state, keepFromUs);
  let rollups: string | undefined;
  if (made.rows > 0) {
    // Each day file is newer by its name than those it replaces, so that a listing in several pages that misses the old one meets the new one.
    const upTo = Math.max(...state.segments.map(({ order }) => order), ...state.parts.map((part) => part.upTo + 1));
    await checkInputs(sources, state);
    const name = { upTo, endingHash: hashOf(made.ending) };
    rollups = rollupName(dayPrefix(ROLLUPS, homeId, day), name);
    await sources.objects.put(rollups, made.rollups);
    await sources.objects.put(partName(dayPrefix(EVENTS, homeId, day), upTo, name.endingHash), made.bytes);
  }
  await removeReplaced(
    sources,
    state,
    [...state.segments, ...state.replaced.segments],
    [...state.parts, ...state.replaced.parts],
  );
  return { dropped: made.dropped, ...(rollups !== undefined && { rollups }) };
}

/**
 * Reading a day takes seconds. Who has pruned it meanwhile, or removed the home, must not find it there again: so it is looked at once more right before the file is put. (A
 * prune that falls between this look and the put is made good by the next one.)
 */
async function checkInputs(sources: DaySources, state: DayState): Promise<void> {
  const { homeId, day } = state;
  const [now] = await daysOf(sources, homeId, { fromDay: day, toDay: day });
  const there = new Set(
    now && [...now.parts, ...now.segments, ...now.replaced.parts, ...now.replaced.segments].map(({ name }) => name),
  );
  const gone = [...state.parts, ...state.segments].find(({ name }) => !there.has(name));
  if (gone) throw new ObjectGone(gone.name);
}

/** What a whole day file already has in it. */
export async function removeReplaced(
  { objects, hot }: DaySources,
  { homeId, day }: DayState,
  segments: DayState["segments"],
  parts: DayState["parts"],
): Promise<void> {
  if (segments.length > 0)
    await hot.remove(
      homeId,
      day,
      segments.map(({ name }) => name),
    );
  if (parts.length === 0) return;
  const rollups = parts.map((part) => rollupName(dayPrefix(ROLLUPS, homeId, day), part));
  // The file last: as long as it is there, somebody will come for its rollups.
  await objects.remove([...rollups, ...parts.map(({ name }) => name)]);
}

async function writeParts(reader: DayReader, state: DayState, keepFromUs: Microseconds) {
  const chunks: Uint8Array[] = [];
  const sink = async (bytes: Uint8Array) => void chunks.push(bytes);
  const file = createEventFileWriter({ sink, form: "dense" });
  const rollup = createDayRollup();
  const covered = [...state.segments, ...state.parts, ...state.replaced.segments, ...state.replaced.parts];
  const notes = {
    covers: new Set(covered.map(({ name }) => digestOf(name))),
    slices: [] as number[],
    entities: new Set<string>(),
    areas: new Set<string>(),
    devices: new Set<string>(),
  } satisfies PartNotes;
  let [rows, dropped] = [0, 0];
  let slice: HomeEvent[] = [];

  async function endSlice(): Promise<void> {
    if (slice.length === 0) return;
    notes.slices.push(file.groupCount());
    await file.write(slice.sort(compareByEntity));
    await file.endGroup();
    slice = [];
  }

  for (const window of await reader.windows(state, SLICE_ROWS)) {
    for (const event of await reader.eventsOnce(window)) {
      if (event.atUs < keepFromUs) {
        dropped++;
        continue;
      }
      rows++;
      rollup.add(event);
      notes.entities.add(event.entityId);
      if (event.areaId !== undefined) notes.areas.add(event.areaId);
      if (event.deviceId !== undefined) notes.devices.add(event.deviceId);
      slice.push(event);
      if (slice.length === SLICE_ROWS) await endSlice();
    }
  }
  await endSlice();
  const ending = await file.finish(textsOf(notes));
  return { rows, dropped, ending, rollups: rollup.finish(), bytes: new Uint8Array(Buffer.concat(chunks)) };
}

function compareByEntity(a: HomeEvent, b: HomeEvent): number {
  if (a.entityId !== b.entityId) return a.entityId < b.entityId ? -1 : 1;
  return compareEvents(a, b);
}
