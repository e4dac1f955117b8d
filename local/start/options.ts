import { parseArgs } from "node:util";
import { HearthlineError, messageOf } from "../../lib/base/errors.ts";

export interface StartOptions {
  readonly stack: "embedded" | "localstack";
  /** Undefined: what `HEARTHLINE_STORE` or its default says. */
  readonly store: string | undefined;
  /** 0: any free one. */
  readonly port: number;
  /** Undefined: `HEARTHLINE_DATA`, else `.hearthline`. */
  readonly data: string | undefined;
  readonly home: "simulated" | "none";
  /** Simulated seconds per second. */
  readonly speed: number;
  /** Events per second. */
  readonly rate: number;
  readonly days: number;
  readonly seed: number;
  /** `legacy`: an old pipeline to play with stands beside the cloud, and the relay feeds both. */
  readonly old: "none" | "legacy";
  readonly quiet: boolean;
}

/** So that habits have had time to show: a first start has patterns and suggestions to look at within a minute. */
const DAYS_DEFAULT = 28;

/** The stores that `npm start -- --store` takes. */
const STORES = ["sqlite", "influxdb", "parquet", "timestream"];
const STACKS = ["embedded", "localstack"] as const;
const HOMES = ["simulated", "none"] as const;
const OLDS = ["none", "legacy"] as const;

const text = { type: "string" } as const;
const FLAGS = {
  stack: text,
  store: text,
  port: text,
  data: text,
  home: text,
  speed: text,
  rate: text,
  days: text,
  seed: text,
  old: text,
  quiet: { type: "boolean" },
} as const;

const wrong = (message: string) => new HearthlineError("setting_invalid", message);

/**
 * The options of `npm start -- OPTIONS`.
 * @throws HearthlineError `setting_invalid`: one line that names the option, its value and what is wanted
 */
export function readOptions(args: readonly string[]): StartOptions {
  const given = parse(args);
  return {
    stack: oneOf("stack", given.stack, STACKS) ?? "embedded",
    store: oneOf("store", given.store, STORES),
    port: number("port", given.port, { min: 0, max: 65_535, whole: true }) ?? 8787,
    data: notEmpty("data", given.data),
    home: oneOf("home", given.home, HOMES) ?? "simulated",
    speed: number("speed", given.speed, { min: 0.01, max: 3600 }) ?? 1,
    rate: number("rate", given.rate, { min: 0.001, max: 100_000 }) ?? 0.3,
    days: number("days", given.days, { min: 0, max: 3650, whole: true }) ?? DAYS_DEFAULT,
    seed: number("seed", given.seed, { min: 0, max: 4_294_967_295, whole: true }) ?? 1,
    old: oneOf("old", given.old, OLDS) ?? "none",
    quiet: given.quiet ?? false,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: FLAGS, allowPositionals: false }).values;
  } catch (thrown) {
    const said = messageOf(thrown).split(/\.? To specify|\n/)[0];
    throw wrong(
      `npm start: ${said}. Options: ${Object.keys(FLAGS)
        .map((name) => `--${name}`)
        .join(" ")}.`,
    );
  }
}

function oneOf<T extends string>(name: string, value: string | undefined, wanted: readonly T[]): T | undefined {
  if (value === undefined) return undefined;
  const found = wanted.find((one) => one === value);
  if (found === undefined)
    throw wrong(
      `npm start: --${name} "${value}" is not known; wanted is ${wanted.map((one) => `"${one}"`).join(" or ")}.`,
    );
  return found;
}

function notEmpty(name: string, value: string | undefined): string | undefined {
  if (value === "") throw wrong(`npm start: --${name} is empty; wanted is a folder.`);
  return value;
}

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly whole?: boolean;
}

function number(name: string, value: string | undefined, { min, max, whole = false }: Bounds): number | undefined {
  if (value === undefined) return undefined;
  const read = /^\d+(\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
  if (!(read >= min && read <= max) || (whole && !Number.isInteger(read)))
    throw wrong(
      `npm start: --${name} "${value}" is not possible; wanted is a ${whole ? "whole " : ""}number from ${min} to ${max}.`,
    );
  return read;
}
