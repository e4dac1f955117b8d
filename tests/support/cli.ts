import type { Clock } from "../../lib/base/clock.ts";
import type { Streams } from "../../local/cli/output.ts";
import { runCommand } from "../../local/cli/program.ts";
import { tokenText } from "./api.ts";

export interface CliOptions {
  readonly url: string;
  /** Default: one of the home `home` that may read and write. */
  readonly token?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
  readonly isTerminal?: boolean;
  readonly screen?: Streams["screen"];
}

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** One line of the command against the API at `url`, on a data folder that is none. */
export async function runCli(args: readonly string[], options: CliOptions): Promise<Ran> {
  const { url, token = tokenText("home"), env, clock, signal, isTerminal, screen } = options;
  const said = { out: "", err: "" };
  const code = await runCommand(args, {
    env: { HEARTHLINE_URL: url, HEARTHLINE_TOKEN: token, HEARTHLINE_DATA: "/nowhere", ...env },
    streams: {
      out: (text) => {
        said.out += text;
      },
      err: (text) => {
        said.err += text;
      },
      ...(isTerminal !== undefined && { isTerminal }),
      ...(screen && { screen }),
    },
    signal: signal ?? new AbortController().signal,
    version: "0.1.0",
    run: async () => 0,
    ...(clock && { clock }),
  });
  return { code, ...said };
}
