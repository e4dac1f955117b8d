import type { Clock } from "../../lib/base/clock.ts";
import { messageOf } from "../../lib/base/errors.ts";
import { type DoctorOptions, type Finding, failed, ok, warning } from "./finding.ts";
import type { Health } from "./status.ts";

const CLOCK_LIMIT_MS = 60_000;

/** The API's address, its clock, the token, and what it says of its parts. */
export async function reach({ api, context, clock }: DoctorOptions): Promise<{ findings: Finding[]; works: boolean }> {
  const findings: Finding[] = [];
  let answer: Awaited<ReturnType<typeof api.ask<Health>>>;
  try {
    answer = await api.ask<Health>("GET", "/health");
  } catch (thrown) {
    findings.push(
      failed("address", messageOf(thrown), "Start Hearthline with npm start, or set HEARTHLINE_URL to where it runs."),
    );
    return { findings, works: false };
  }
  if (!answer.body?.status) {
    findings.push(
      failed(
        "address",
        `"${context.url}" answers with ${answer.status}, but not as Hearthline does`,
        "Set HEARTHLINE_URL to the address that npm start printed.",
      ),
    );
    return { findings, works: false };
  }
  findings.push(ok("address", `"${context.url}" answers`));
  findings.push(clockFinding(answer.date, clock));
  if (!answer.body.parts) {
    findings.push(
      failed(
        "token",
        "the token was not accepted",
        "Set HEARTHLINE_TOKEN, or make one: hearthline tokens create --name doctor --scopes read,write",
      ),
    );
    return { findings, works: false };
  }
  findings.push(ok("token", "accepted"));
  for (const part of answer.body.parts) {
    const detail = `${part.detail} (since ${part.since})`;
    if (part.state === "ok") findings.push(ok(part.name, detail));
    else if (part.state === "degraded")
      findings.push(
        warning(
          part.name,
          detail,
          part.kind === "queue"
            ? "hearthline queues peek NAME-dead shows why, queues redrive puts back."
            : "Look at its log.",
        ),
      );
    else findings.push(failed(part.name, detail, "Look at its log; npm start mends its own parts."));
  }
  return { findings, works: true };
}

function clockFinding(date: string | null, clock: Clock): Finding {
  const offsetMs = date === null ? Number.NaN : Date.parse(date) - clock.nowMs();
  if (Number.isNaN(offsetMs))
    return warning("clock", "the API did not say what time it is", "Check this machine's clock by hand.");
  // The header has whole seconds.
  if (Math.abs(offsetMs) > CLOCK_LIMIT_MS) {
    return failed(
      "clock",
      `this machine's clock is ${Math.round(Math.abs(offsetMs) / 1000)} s ${offsetMs > 0 ? "behind" : "ahead of"} the API's`,
      "Set the clock by NTP on both.",
    );
  }
  return ok("clock", "agrees with the API's to the minute");
}
