import { HearthlineError } from "../../base/errors.ts";
import { Book } from "./book.ts";
import { RESERVE } from "./journal.ts";
import { isReadError } from "./lenient-file.ts";
import type { JournalOptions } from "./options.ts";
import { readSegments, setAside } from "./read-segments.ts";
import { readTail, type TailFound } from "./read-tail.ts";
import { outsideHoles, type Segment, Segments } from "./segment.ts";
import { type KeptState, STATE_NAME, type StateFile, type StateRead } from "./state-file.ts";
import { takeOver } from "./take-over.ts";

export interface Recovered {
  readonly book: Book;
  readonly segments: Segments;
  /** To be written on; undefined: a new one has to be begun. */
  readonly tail: Segment | undefined;
  /** The spool was there, beside an earlier one of another relay id: that one's records are still to be taken. */
  readonly hasStranger: boolean;
}

/** Finds out what the last run left. Reads all headers and the newest segment, nothing else; damage elsewhere is met when it is read. */
export async function recover(options: JournalOptions, stateFile: StateFile): Promise<Recovered> {
  const { earlier, homeId, files } = options;
  const state = await readTwice(stateFile);
  let kept = await keptBy(state, options);
  let found = await readSegments(options, kept?.relay_id);
  if (state.is === "unreadable") {
    if (found.relayId === undefined) throw state.error;
    await setAside(files, STATE_NAME, options);
  }
  let hasStranger = false;
  if (earlier) {
    const relayId = kept?.relay_id ?? found.relayId;
    if ((!kept || kept.taking) && (relayId === undefined || relayId === earlier.relayId)) {
      kept = await takeOver(options, stateFile, found.segments);
      found = await readSegments(options, kept.relay_id);
    }
    if (kept?.relay_id === earlier.relayId) earlier.finish();
    else hasStranger = true;
  }
  const relayId = kept?.relay_id ?? found.relayId;
  if (relayId === undefined) return { ...(await begin(options, stateFile, found.segments)), hasStranger };
  if (!kept)
    options.log.error("The spool's state is gone: cursors begin with the oldest record that is there.", {
      path: files.path,
    });
  const segments = new Segments();
  const tail = await readTail(options, {
    found: found.segments,
    knownLast: knownLast(kept),
    isClean: kept?.clean ?? false,
    active: kept?.active,
  });
  for (const segment of tail.segments) segments.add(segment);
  const first = segments.all[0]?.first;
  const known: KeptState = kept ?? {
    ...empty(homeId, relayId),
    last: tail.last,
    losses: tail.losses,
  };
  const book = new Book({
    ...known,
    revision: Math.max(known.revision, tail.revision),
    cursors: cursorsFor(options, { kept, first, last: tail.last }),
  });
  settle(book, { kept, tail, options });
  const isWritable = tail.canGoOn && tail.last === book.last;
  return { book, segments, tail: isWritable ? segments.all.at(-1) : undefined, hasStranger };
}

const empty = (homeId: string, relayId: string): KeptState => ({
  home_id: homeId,
  relay_id: relayId,
  last: 0,
  revision: 0,
  losses: 0,
  cursors: {},
  holes: [],
  pending: [],
  clean: false,
  taking: false,
});

const knownLast = (kept: KeptState | undefined): number =>
  Math.max(0, kept?.last ?? 0, ...Object.values(kept?.cursors ?? {}));

async function keptBy(
  read: StateRead | Unreadable,
  { files, homeId, log, clock }: JournalOptions,
): Promise<KeptState | undefined> {
  if (read.is === "newer") {
    throw new HearthlineError(
      "data_folder_unusable",
      `Opening the spool "${files.path}": its state has version "${read.version}", this program knows less; wanted is the newer Hearthline that wrote it.`,
    );
  }
  if (read.is === "damaged") await setAside(files, STATE_NAME, { clock, log });
  if (read.is !== "good") return undefined;
  if (read.state.home_id !== homeId) {
    throw new HearthlineError(
      "data_folder_unusable",
      `Opening the spool "${files.path}": it belongs to the home "${read.state.home_id}", the setting HEARTHLINE_HOME_ID is "${homeId}"; wanted is that home's id, or another data folder.`,
    );
  }
  return read.state;
}

interface Unreadable {
  readonly is: "unreadable";
  readonly error: unknown;
}

/** A sector that cannot be read may be read the second time. When it cannot, the segments tell. */
async function readTwice(stateFile: StateFile): Promise<StateRead | Unreadable> {
  const unreadable = (error: unknown): Unreadable => {
    if (!isReadError(error)) throw error;
    return { is: "unreadable", error };
  };
  const read = await stateFile.read().catch(unreadable);
  return read.is === "unreadable" ? stateFile.read().catch(unreadable) : read;
}

/** A new spool, with a new relay id. What lies there and tells nothing is set aside. */
async function begin(
  options: JournalOptions,
  stateFile: StateFile,
  unreadable: readonly Segment[],
): Promise<Omit<Recovered, "hasStranger">> {
  const { files, homeId, newRelayId, sinks, log, clock } = options;
  for (const { name } of unreadable) await setAside(files, name, { clock, log });
  if (unreadable.length > 0)
    log.error("The spool is damaged: a new one begins with a new relay id.", { path: files.path });
  const state = { ...empty(homeId, newRelayId()), cursors: Object.fromEntries(sinks.map((sink) => [sink, 0])) };
  await stateFile.write(state);
  return { book: new Book(state), segments: new Segments(), tail: undefined };
}

function cursorsFor(
  { sinks, log }: JournalOptions,
  { kept, first, last }: { kept: KeptState | undefined; first: number | undefined; last: number },
): Record<string, number> {
  const known = kept?.cursors ?? {};
  const forgotten = Object.keys(known).filter((sink) => !sinks.includes(sink));
  if (forgotten.length > 0)
    log.info("Sinks that are not in the settings any more were forgotten.", { sinks: forgotten });
  // What the others have all taken counts as gone, even where its segment is still there.
  const others = sinks.flatMap((sink) => known[sink] ?? []);
  const oldest = others.length > 0 ? Math.min(...others) : (first ?? last + 1) - 1;
  return Object.fromEntries(sinks.map((sink) => [sink, known[sink] ?? Math.max(0, oldest)]));
}

/** Joins what the state file says and what the segments hold. */
function settle(
  book: Book,
  { kept, tail, options }: { kept: KeptState | undefined; tail: TailFound; options: JournalOptions },
): void {
  const atMs = options.clock.nowMs();
  const times = { fromMs: atMs, toMs: atMs };
  const known = knownLast(kept);
  // What was said in a record before the crash is not said again, and what was counted in memory only is counted.
  for (const { n, range } of tail.facts.losses.filter((each) => each.n > known)) {
    if (!book.isWritten(n, range)) book.losses += kept ? range.count : 0;
  }
  const isCut =
    kept !== undefined && (tail.isActiveGone || outsideHoles(book.holes, tail.last + 1, kept.last).length > 0);
  book.last = Math.max(tail.last, known);
  if (isCut) {
    const events = book.giveUp({
      first: tail.last + 1,
      last: known,
      reason: "the newest part of the spool was missing",
      ...times,
    });
    if (!kept.clean)
      book.skip({
        first: book.last + 1,
        last: book.last + RESERVE,
        count: 0,
        reason: "numbers that may have been given before damage",
        ...times,
      });
    options.log.error("The newest part of the spool is missing.", { first: tail.last + 1, last: known, events });
  }
  if (!isCut && !kept?.clean && tail.doubt && tail.doubt.last > book.last) {
    const lost = { first: book.last + 1, last: tail.doubt.last, count: tail.doubt.seen };
    book.skip({ ...lost, reason: "the newest part of the spool was damaged", ...times });
    options.log.error("The newest part of the spool is damaged.", lost);
  }
  if (tail.segments.length === 0 && book.done < book.last) {
    book.giveUp({ first: book.done + 1, last: book.last, reason: "the spool's files were missing", ...times });
  }
}
