import type { Clock } from "../base/clock.ts";
import type { Caller } from "./caller.ts";
import { addressGroup, createLocalBuckets } from "./local-buckets.ts";
import type { RateStore } from "./ports.ts";
import { type Bucket, giveUnits, takeUnits, unitsOf } from "./rate-bucket.ts";

export interface RateLimits {
  /** What a token may ask in a minute, and at once after a minute of silence. */
  readonly perMinute: number;
  /** Takes `units` for a request of a token; how long it should wait when it may not, in ms; 0: it may. Never rejects. */
  ofToken(caller: Pick<Caller, "homeId" | "tokenId">, units?: number): Promise<number>;
  /** The same for whoever has no token; an address that is not known has no limit. */
  ofAddress(address: string | undefined): number;
}

export interface RateLimitsOptions {
  readonly store: RateStore;
  readonly clock: Pick<Clock, "nowMs" | "monotonicMs">;
  readonly perMinute: number;
}

/** What an instance lets a token ask in a minute without looking into the table, and how many units it takes from there at a time: this part of the limit. */
const SHARE = 20;
/** Tokens and addresses that an instance remembers. One that is forgotten begins anew, with what it may ask without the table. */
const SUBJECTS_MAX = 10_000;

interface OfToken {
  /** What it may still ask without the table. */
  free: Bucket | undefined;
  /** Taken from the table and not used yet. */
  leased: number;
  /** While the table is away: the whole limit, counted here. */
  own: Bucket | undefined;
  /** So many units will not be there before this moment (monotonic). */
  closed: { readonly units: number; readonly untilMs: number } | undefined;
  leasing: Promise<void> | undefined;
}

/**
 * A limit for each token over all instances of a function, which share nothing but a table. An instance lets a token's first few requests of a minute through by
 * itself, and takes more from the token's bucket in the table, many at a time. So a page that asks every two seconds writes nothing, a script at full speed
 * costs 20 writes a minute, and N instances together let through at most the limit and N tenths of it.
 */
export function createRateLimits({ store, clock, perMinute }: RateLimitsOptions): RateLimits {
  const lease = Math.max(1, Math.floor(perMinute / SHARE));
  const free = { capacity: lease, perMinute: lease };
  const whole = { capacity: perMinute, perMinute };
  const tokens = new Map<string, OfToken>();
  const addresses = createLocalBuckets({ clock, perMinute, subjectsMax: SUBJECTS_MAX });

  function entryOf(name: string): OfToken {
    const entry = tokens.get(name) ?? {
      free: undefined,
      leased: 0,
      own: undefined,
      closed: undefined,
      leasing: undefined,
    };
    tokens.delete(name);
    tokens.set(name, entry);
    if (tokens.size > SUBJECTS_MAX) for (const oldest of tokens.keys()) if (tokens.delete(oldest)) break;
    return entry;
  }

  /** Uses what the instance has at hand; how many units are missing, and then it uses none. */
  function useLocal(entry: OfToken, units: number): number {
    const nowMs = clock.monotonicMs();
    const { bucket } = takeUnits(entry.free, { wanted: 0, atLeast: 0 }, { ...free, nowMs });
    const atHand = unitsOf(bucket);
    if (atHand + entry.leased < units) return units - atHand - entry.leased;
    const fromFree = Math.min(units, atHand);
    entry.free = giveUnits(bucket, -fromFree);
    entry.leased -= units - fromFree;
    return 0;
  }

  async function takeLease({ homeId, tokenId }: Pick<Caller, "homeId" | "tokenId">, entry: OfToken, missing: number) {
    const asked = { wanted: Math.max(lease, missing), atLeast: missing };
    const taken = await store.take(homeId, tokenId, { ...asked, ...whole, nowMs: clock.nowMs() }).catch(() => {
      const local = takeUnits(entry.own, asked, { ...whole, nowMs: clock.monotonicMs() });
      entry.own = local.bucket;
      return local;
    });
    entry.leased += taken.granted;
    entry.closed = taken.granted > 0 ? undefined : { units: missing, untilMs: clock.monotonicMs() + taken.waitMs };
  }

  return {
    perMinute,
    async ofToken(caller, asked = 1) {
      const units = Math.min(asked, perMinute);
      const entry = entryOf(JSON.stringify([caller.homeId, caller.tokenId]));
      for (;;) {
        const missing = useLocal(entry, units);
        if (missing === 0) return 0;
        const { closed } = entry;
        const waitMs = closed && missing >= closed.units ? closed.untilMs - clock.monotonicMs() : 0;
        if (waitMs > 0) return waitMs;
        // Requests that come together share a lease; whoever gets nothing of it asks again.
        entry.leasing ??= takeLease(caller, entry, missing).finally(() => {
          entry.leasing = undefined;
        });
        await entry.leasing;
      }
    },
    ofAddress: (address) => (address === undefined ? 0 : addresses.take(addressGroup(address))),
  };
}
