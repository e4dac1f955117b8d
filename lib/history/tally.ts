import type { ErrorCode } from "../base/errors.ts";
import type { RejectedRow } from "./ports.ts";
import { SKIP_REASONS, type SkipReason } from "./take.ts";

/** So many rejected rows are named one by one; the rest is counted. */
export const SHOWN_MAX = 100;
const REMARKS_MAX = 20;

/** What an import has done so far, or in all. */
export interface ImportCounts {
  /** Rows of the history, also those that were skipped or rejected. */
  readonly read: number;
  /** Records that the queue has taken. */
  readonly imported: number;
  /** Of those: records of an earlier run that had been interrupted before it knew that they were taken. */
  readonly resent: number;
  readonly skipped: Readonly<Record<SkipReason, number>>;
  readonly rejected: {
    readonly count: number;
    readonly byCode: Readonly<Partial<Record<ErrorCode, number>>>;
    /** The first SHOWN_MAX. */
    readonly shown: readonly RejectedRow[];
  };
  /** Rows that were older than the row before of the same entity: what they changed cannot be told. */
  readonly outOfOrder: number;
}

/** Counts, for one run. */
export class Tally {
  read = 0;
  imported = 0;
  resent = 0;
  outOfOrder = 0;
  readonly remarks: string[] = [];
  readonly #skipped = Object.fromEntries(SKIP_REASONS.map((reason) => [reason, 0])) as Record<SkipReason, number>;
  #rejected = 0;
  readonly #byCode: Partial<Record<ErrorCode, number>> = {};
  readonly #shown: RejectedRow[] = [];

  skip(reason: SkipReason): void {
    this.#skipped[reason] += 1;
  }

  reject(row: RejectedRow): void {
    this.#rejected += 1;
    this.#byCode[row.code] = (this.#byCode[row.code] ?? 0) + 1;
    if (this.#shown.length < SHOWN_MAX) this.#shown.push(row);
  }

  remark(text: string): void {
    if (this.remarks.length < REMARKS_MAX && !this.remarks.includes(text)) this.remarks.push(text);
  }

  counts(): ImportCounts {
    return {
      read: this.read,
      imported: this.imported,
      resent: this.resent,
      skipped: { ...this.#skipped },
      rejected: { count: this.#rejected, byCode: { ...this.#byCode }, shown: [...this.#shown] },
      outOfOrder: this.outOfOrder,
    };
  }
}
