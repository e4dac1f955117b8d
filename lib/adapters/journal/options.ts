import type { Clock } from "../../base/clock.ts";
import { HearthlineError, isHearthlineError, messageOf } from "../../base/errors.ts";
import { fileProblemOf } from "../../base/file-errors.ts";
import type { Logger } from "../../base/log.ts";
import type { JournalFiles } from "./files.ts";
import type { KeptState } from "./state-file.ts";

/** What goes at the bound: the oldest records that are there, or the newest, which come. */
export type AtBound = "oldest" | "newest";

/** What an older spool left, to be taken over with its numbers. */
export interface EarlierSpool extends Pick<KeptState, "last" | "revision" | "losses" | "cursors"> {
  readonly relayId: string;
  /** Ascending. It may throw where the old file is damaged: what lies behind is then lost and said to be. */
  records(): Iterable<EarlierRecord>;
  /** All of it is safe in the journal. */
  finish(): void;
}

export interface EarlierRecord {
  readonly n: number;
  readonly appendedAtMs: number;
  readonly line: string;
  readonly isLoss: boolean;
}

export interface JournalOptions {
  readonly files: JournalFiles;
  readonly log: Logger;
  readonly clock: Clock;
  readonly homeId: string;
  /** Makes the relay id of a new spool. */
  readonly newRelayId: () => string;
  /** Every sink that has a cursor. A new one begins with the oldest record that is there; one that is no longer named holds nothing back. */
  readonly sinks: readonly string[];
  readonly maxBytes: number;
  /** Default `oldest`. */
  readonly atBound?: AtBound;
  /** The spool does not grow while the disk has less than this free. Default 0. */
  readonly minFreeBytes?: number;
  readonly earlier?: EarlierSpool | undefined;
  /** Called once, when the spool is closed: lets the next relay in. */
  readonly release?: () => void;
}

/** Small enough that dropping one loses little, large enough that a spool of 10 GB is not many files. */
export const segmentBytesOf = (maxBytes: number): number =>
  Math.max(65_536, Math.min(16_777_216, Math.floor(maxBytes / 16)));

/** What the file system throws becomes `spool_failed`, which may be tried again. Anything else (an unknown sink) stays what it is. */
export function spoolFailed(doing: string, path: string, thrown: unknown): Error {
  const problem = isHearthlineError(thrown) ? undefined : fileProblemOf(thrown);
  if (!problem) return thrown as Error;
  return new HearthlineError("spool_failed", `${doing} the spool "${path}": ${problem.state} (${messageOf(thrown)}).`, {
    cause: thrown,
  });
}
