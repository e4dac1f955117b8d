import type { Clock } from "../../base/clock.ts";
import { HearthlineError, messageOf } from "../../base/errors.ts";
import { type Finding, SIMPLE_STEPS, type SimpleJournal, type SimpleJournalStore, type SimpleStep } from "./journal.ts";

/** What the simple way does, each safe to repeat: a run that was killed in the middle of one does it again. */
export interface SimplePorts {
  /** What must be well before anything is touched. @throws what cannot be reached */
  check(): Promise<readonly Finding[]>;
  /** OLD gets nothing any more; resolves when it is still. @throws when it does not become so (a person has to stop the integration) */
  stopFeedingOld(): Promise<void>;
  /** OLD is fed again, from where it was stopped: what NEW got meanwhile is handed to it. */
  feedOldAgain(): Promise<void>;
  /** The home in one file, verified; gives its name. A file of an earlier try is replaced. */
  backUp(): Promise<string>;
  /** Rows of the home that both could hold, up to the moment of the switch. */
  count(): Promise<{ readonly old: number; readonly new: number }>;
  /** NEW, or OLD, answers all readers; resolves when every reader's cache is over. */
  point(to: "old" | "new"): Promise<void>;
  /** After the switch: health, a canary through every hop, counts and samples. */
  validate(before: { readonly old: number; readonly new: number }): Promise<readonly Finding[]>;
  /** After the way back: OLD answers and has everything. @throws when it does not */
  validateOld(): Promise<void>;
  /** Ends the migration's row, with what was found. */
  finish(outcome: "done" | "restored", reason: string): Promise<void>;
}

export interface SimpleOptions {
  readonly migrationId: string;
  readonly homeId: string;
  readonly ports: SimplePorts;
  readonly journal: SimpleJournalStore;
  readonly clock: Pick<Clock, "nowMs">;
  readonly signal: AbortSignal;
  readonly onProgress?: (words: string) => void;
}

export interface SimpleOutcome {
  /** `refused`: the first check said no, and nothing was touched. */
  readonly outcome: "done" | "restored" | "refused";
  readonly reason?: string;
  readonly backup?: string;
  readonly findings: readonly Finding[];
}

const WORDS: Readonly<Record<SimpleStep, string>> = {
  check: "Looking whether both are well",
  stop: "Stopping what feeds OLD",
  "back-up": "Backing up the home",
  switch: "Switching all readers to NEW",
  validate: "Validating",
};

/**
 * The simple way (row A9): stop OLD's feeding, back up, switch, validate; whatever fails restores, and says so. Started again after a crash it goes on, forwards or back, from what the journal says; one that has ended says how it ended.
 * @throws HearthlineError `migration_exists` when the journal is another migration's that has not ended; what the journal's store throws; what restoring throws (started again, it goes on with that)
 */
export async function runSimple(options: SimpleOptions): Promise<SimpleOutcome> {
  const book = await Book.open(options);
  if (book.now.status === "forward") await forward(book, options);
  if (book.now.status === "restoring") await restore(book, options);
  const { status, reason, backup, findings } = book.now;
  return {
    outcome: status === "done" ? "done" : isRefused(book.now) ? "refused" : "restored",
    findings,
    ...(reason !== undefined && { reason }),
    ...(backup !== undefined && { backup }),
  };
}

const isRefused = ({ status, done }: SimpleJournal): boolean => status === "restored" && !done.includes("check");

async function forward(book: Book, { ports, signal, onProgress }: SimpleOptions): Promise<void> {
  for (const step of SIMPLE_STEPS) {
    if (book.now.done.includes(step)) continue;
    try {
      signal.throwIfAborted();
      await book.begin(step);
      onProgress?.(`${WORDS[step]}.`);
      await book.end(step, await DO[step](ports, book.now));
    } catch (thrown) {
      // Before OLD's feeding is touched there is nothing to take back.
      const isUntouched = step === "check";
      const reason = `${WORDS[step]} failed: ${messageOf(thrown)}`;
      const findings = thrown instanceof NotGood ? thrown.findings : book.now.findings;
      await book.write({ status: isUntouched ? "restored" : "restoring", reason, findings: [...findings] });
      return;
    }
  }
  await ports.finish("done", "Everything was validated after the switch: NEW answers all.");
  await book.write({ status: "done" });
}

type Done = Partial<Pick<SimpleJournal, "backup" | "counts" | "findings">>;

const DO: Readonly<Record<SimpleStep, (ports: SimplePorts, journal: SimpleJournal) => Promise<Done>>> = {
  check: async (ports) => ({ findings: good(await ports.check()) }),
  stop: async (ports) => {
    await ports.stopFeedingOld();
    return {};
  },
  "back-up": async (ports) => ({ backup: await ports.backUp() }),
  switch: async (ports) => {
    const counts = await ports.count();
    await ports.point("new");
    return { counts };
  },
  validate: async (ports, { counts }) => ({ findings: good(await ports.validate(counts ?? { old: 0, new: 0 })) }),
};

class NotGood extends Error {
  readonly findings: readonly Finding[];

  constructor(findings: readonly Finding[]) {
    super(
      findings
        .filter(({ isGood }) => !isGood)
        .map(({ name, text }) => `${name}: ${text}`)
        .join("; "),
    );
    this.findings = findings;
  }
}

function good(findings: readonly Finding[]): Finding[] {
  if (findings.length === 0) throw new Error("nothing was looked at, so nothing is proved");
  if (findings.some(({ isGood }) => !isGood)) throw new NotGood(findings);
  return [...findings];
}

/** First the readers, then what feeds OLD: so that nobody reads an OLD that stands still. Each may be done already. */
async function restore(book: Book, { ports, onProgress }: SimpleOptions): Promise<void> {
  const { done, begun } = book.now;
  const was = (step: SimpleStep) => done.includes(step) || begun === step;
  onProgress?.("Going back to OLD.");
  if (was("switch")) await ports.point("old");
  if (was("stop")) await ports.feedOldAgain();
  await ports.validateOld();
  await ports.finish("restored", book.now.reason ?? "It went back.");
  await book.write({ status: "restored" });
}

/** The journal as it stands, written before each step and after it. */
class Book {
  readonly #store: SimpleJournalStore;
  now: SimpleJournal;

  private constructor(store: SimpleJournalStore, now: SimpleJournal) {
    this.#store = store;
    this.now = now;
  }

  static async open({ journal, migrationId, homeId, clock }: SimpleOptions): Promise<Book> {
    const there = await journal.read();
    // What was refused has touched nothing: once it is mended, it is looked at anew.
    if (there?.migrationId === migrationId && !isRefused(there)) return new Book(journal, there);
    if (there && there.status !== "done" && there.status !== "restored")
      throw new HearthlineError(
        "migration_exists",
        `The simple migration "${migrationId}" was to be run, but "${there.migrationId}" is in the middle of "${there.begun ?? there.done.at(-1) ?? "its beginning"}"; wanted is that it is run to its end first.`,
      );
    const startedMs = clock.nowMs();
    return new Book(journal, { version: 1, migrationId, homeId, startedMs, status: "forward", done: [], findings: [] });
  }

  begin(step: SimpleStep): Promise<void> {
    return this.write({ begun: step });
  }

  /** Known as begun until it is known as ended: whatever fails in between, the way back meets it. */
  end(step: SimpleStep, found: Done): Promise<void> {
    const { begun: _, ...rest } = this.now;
    return this.#keep({ ...rest, ...found, done: [...rest.done, step] });
  }

  write(change: Partial<SimpleJournal>): Promise<void> {
    return this.#keep({ ...this.now, ...change });
  }

  async #keep(next: SimpleJournal): Promise<void> {
    await this.#store.write(next);
    this.now = next;
  }
}
