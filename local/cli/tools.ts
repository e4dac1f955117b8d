import { InvalidArgumentError } from "commander";
import type { Clock } from "../../lib/base/clock.ts";
import type { ApiClient } from "./api-client.ts";
import type { CommandContext } from "./context.ts";
import type { Output } from "./output.ts";

/** What every command works with; made when the command runs, after its options were read. */
export type Tools = () => {
  readonly context: CommandContext;
  readonly api: ApiClient;
  readonly output: Output;
  readonly clock: Clock;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
};

/** A whole number within bounds, as an option's parser. */
export const countOf =
  (min: number, max: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < min || value > max)
      throw new InvalidArgumentError(`wanted is a whole number from ${min} to ${max}`);
    return value;
  };
