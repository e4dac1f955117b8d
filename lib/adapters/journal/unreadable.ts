import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import type { JournalFiles } from "./files.ts";
import { HEADER_MAX_BYTES } from "./format.ts";
import { isReadError } from "./lenient-file.ts";
import type { Segment, Segments } from "./segment.ts";
import { STATE_NAME } from "./state-file.ts";

/** A disk that is reset or wakes up needs some seconds. */
const TRIES = 5;
const WAIT_MS = 1_000;
const WAIT_MAX_MS = 60_000;
/** So many other files are asked whether it is the disk as a whole. */
const OTHERS_ASKED = 3;

interface Trouble {
  tries: number;
  againAtMs: number;
  error: unknown;
}

/** What to do about a segment that the disk does not read: try again for a while, then take what can be read of it, so that the rest can go on. */
export class Unreadable {
  readonly #options: {
    readonly files: JournalFiles;
    readonly segments: Segments;
    readonly clock: Clock;
    readonly log: Logger;
  };
  readonly #troubles = new Map<Segment, Trouble>();

  constructor(options: { files: JournalFiles; segments: Segments; clock: Clock; log: Logger }) {
    this.#options = options;
  }

  /** @throws the segment's last error, while it is too early to ask the disk again */
  check(segment: Segment): void {
    const trouble = this.#troubles.get(segment);
    if (trouble && this.#options.clock.monotonicMs() < trouble.againAtMs) throw trouble.error;
  }

  worked(segment: Segment): void {
    if (this.#troubles.size > 0) this.#troubles.delete(segment);
  }

  /** Resolves when the segment is to be read leniently from now on. @throws what was thrown, when it is to be tried again later */
  async failed(segment: Segment, thrown: unknown): Promise<void> {
    if (!isReadError(thrown)) throw thrown;
    // Another sink's reader has come to that end.
    if (segment.isUnreadable) return;
    const { clock, log } = this.#options;
    const tries = (this.#troubles.get(segment)?.tries ?? 0) + 1;
    const waitMs = Math.min(WAIT_MAX_MS, WAIT_MS * 2 ** (tries - 1));
    this.#troubles.set(segment, { tries, againAtMs: clock.monotonicMs() + waitMs, error: thrown });
    if (tries === 1)
      log.warn("The disk cannot read a part of the spool; it is tried again.", { name: segment.name, error: thrown });
    if (tries < TRIES || !(await this.#canReadOthers(segment))) throw thrown;
    this.#troubles.delete(segment);
    segment.isUnreadable = true;
    segment.isDamaged = true;
    log.error(
      "The disk cannot read a part of the spool: what can be read of this segment is taken, the rest is lost.",
      {
        name: segment.name,
        error: thrown,
      },
    );
  }

  async #canReadOthers(segment: Segment): Promise<boolean> {
    const { files, segments } = this.#options;
    const others = segments.all.filter((each) => each !== segment && !each.isUnreadable).slice(-OTHERS_ASKED);
    for (const name of [...others.map((each) => each.name), STATE_NAME]) {
      try {
        const file = await files.open(name, "read");
        try {
          await file.read(new Uint8Array(HEADER_MAX_BYTES), 0, HEADER_MAX_BYTES);
          return true;
        } finally {
          await file.close();
        }
      } catch {
        // Asks the next one.
      }
    }
    return false;
  }
}
