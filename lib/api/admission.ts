import { type Caller, GUESSES_PER_MINUTE, type Identified } from "./caller.ts";
import { Problem } from "./problem.ts";
import type { RateLimits } from "./rate-limits.ts";

/** The names under which limits appear in `RateLimit-Policy` and `RateLimit`. Source: draft-ietf-httpapi-ratelimit-headers-10. */
type Policy = "token" | "address" | "guesses";

const WINDOW_SECONDS = 60;
const policyHeader = (policy: Policy, perMinute: number) => `"${policy}";q=${perMinute};w=${WINDOW_SECONDS}`;

function tooMany(policy: Policy, perMinute: number, waitMs: number): Problem {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  const whose = policy === "token" ? "This token has" : "Your address has";
  const what = policy === "guesses" ? "tokens that are none" : "requests";
  const detail = `${whose} sent too many ${what}: ${perMinute} a minute are taken. Try again in ${seconds} s.`;
  const headers = {
    "retry-after": String(seconds),
    "ratelimit-policy": policyHeader(policy, perMinute),
    ratelimit: `"${policy}";r=0;t=${seconds}`,
  };
  return new Problem("rate_limited", detail, { headers });
}

/** Counts a request against its token, or without one against its address. @throws Problem `rate_limited` */
export async function admit(limits: RateLimits, identified: Identified, address: string | undefined): Promise<void> {
  const isCaller = "caller" in identified;
  if (!isCaller && identified.error === "token_guessed") {
    throw tooMany("guesses", GUESSES_PER_MINUTE, (WINDOW_SECONDS * 1000) / GUESSES_PER_MINUTE);
  }
  const waitMs = isCaller ? await limits.ofToken(identified.caller) : limits.ofAddress(address);
  if (waitMs > 0) throw tooMany(isCaller ? "token" : "address", limits.perMinute, waitMs);
}

/** Counts a request as more than one. @throws Problem `rate_limited` */
export async function charge(limits: RateLimits, caller: Caller, units: number): Promise<void> {
  if (units <= 0) return;
  const waitMs = await limits.ofToken(caller, units);
  if (waitMs > 0) throw tooMany("token", limits.perMinute, waitMs);
}

/** What a caller with a token is told of its limit with every answer. */
export const limitHeaders = ({ perMinute }: RateLimits): Readonly<Record<string, string>> => ({
  "ratelimit-policy": policyHeader("token", perMinute),
});
