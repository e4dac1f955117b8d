import { formatIsoUs, type Microseconds } from "../base/time.ts";
import { usOf } from "./known-of.ts";
import type { LastKnownImage } from "./ports.ts";

/** Where the gap begins that is open, by Home Assistant's clock and by ours. */
export class OpenGap {
  #since: string | undefined;
  /** By our clock. */
  #atMs: number | undefined;
  #setBackMs = 0;

  restore({ openSince, openAtMs, setBackMs = 0 }: LastKnownImage): void {
    this.#since = openSince;
    this.#atMs = openAtMs;
    this.#setBackMs = setBackMs;
  }

  get since(): string | undefined {
    return this.#since;
  }

  get setBackMs(): number {
    return this.#setBackMs;
  }

  get aheadMs(): number | undefined {
    const sinceUs = usOf(this.#since);
    return sinceUs === undefined || this.#atMs === undefined ? undefined : this.#atMs - sinceUs / 1000;
  }

  /** One that is open goes on. */
  begin(heard: string | undefined, heardAtMs: number | undefined, newest: () => string | undefined): void {
    if (this.#since !== undefined) return;
    this.#atMs = heard === undefined ? undefined : heardAtMs;
    this.#since = heard ?? newest();
  }

  beginAt(sinceUs: Microseconds): void {
    this.#since = formatIsoUs(sinceUs);
    this.#atMs = undefined;
  }

  /** The largest counts; whether it is this one. */
  noteSetBack(byMs: number): boolean {
    if (this.#since === undefined || byMs <= this.#setBackMs) return false;
    this.#setBackMs = byMs;
    return true;
  }

  end(): void {
    this.#since = undefined;
    this.#setBackMs = 0;
  }

  /** As it is kept. */
  get kept(): Pick<LastKnownImage, "openSince" | "openAtMs" | "setBackMs"> {
    return {
      ...(this.#since !== undefined && { openSince: this.#since }),
      ...(this.#since !== undefined && this.#atMs !== undefined && { openAtMs: this.#atMs }),
      ...(this.#setBackMs > 0 && { setBackMs: this.#setBackMs }),
    };
  }
}
