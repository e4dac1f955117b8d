import { HearthlineError } from "../../base/errors.ts";
import type { OldSystem } from "../ports.ts";

/** OLD as the checks of one step have it. */
export interface OldOfStep {
  readonly old: OldSystem;
  /** What the health check has just found: that OLD is away, or (undefined) that it answers. */
  found(problem: string | undefined): void;
}

/**
 * An OLD that was found away at the beginning of a step is not asked again in it: one that hangs would cost each check its whole time-out, and a step that should be told within seconds would take minutes.
 * Nothing is decided by it: what is not answered is inconclusive, as it would be after the time-out.
 */
export function oldOfStep(old: OldSystem): OldOfStep {
  let away: string | undefined;

  function asked<T>(ask: () => T): T {
    if (away === undefined) return ask();
    throw new HearthlineError(
      "service_unreachable",
      `${old.name} was found away at the beginning of this step and is not asked again in it; it was: ${away}`,
    );
  }

  return {
    found: (problem) => {
      away = problem;
    },
    old: {
      ...{ kind: old.kind, name: old.name, limits: old.limits },
      describe: async () => asked(() => old.describe()),
      async *scan(query) {
        yield* asked(() => old.scan(query));
      },
      counts: async (query) => asked(() => old.counts(query)),
      range: async (query) => asked(() => old.range(query)),
      write: async (events) => asked(() => old.write(events)),
      close: () => old.close(),
    },
  };
}
