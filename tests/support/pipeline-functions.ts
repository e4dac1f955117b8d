import { AsyncLocalStorage } from "node:async_hooks";
import type { Context } from "aws-lambda";
import { type Clock, systemClock } from "../../lib/base/clock.ts";
import { createAnalyze } from "../../lib/wiring/analyze.ts";
import { createApiFunction } from "../../lib/wiring/api.ts";
import { createAuthorize } from "../../lib/wiring/authorize.ts";
import type { FunctionOptions } from "../../lib/wiring/aws.ts";
import { createDispatch } from "../../lib/wiring/dispatch.ts";
import { createEnrich } from "../../lib/wiring/enrich.ts";
import { createIndexDevices } from "../../lib/wiring/index-devices.ts";
import { createStore } from "../../lib/wiring/store.ts";
import { createValidateMigration } from "../../lib/wiring/validate-migration.ts";

const MAKERS = {
  enrich: createEnrich,
  store: createStore,
  "index-devices": createIndexDevices,
  dispatch: createDispatch,
  analyze: createAnalyze,
  "validate-migration": createValidateMigration,
  authorize: createAuthorize,
  api: createApiFunction,
} as const;
export type FunctionName = keyof typeof MAKERS;

/** Which function is at work; for whoever watches what functions call. */
const atWork = new AsyncLocalStorage<FunctionName>();
export const functionAtWork = (): FunctionName | undefined => atWork.getStore();

/** Real time, but for the wall clock, which is set by hand. */
export interface WallClock extends Clock {
  set(nowMs: number): void;
}
export function wallClock(nowMs: number): WallClock {
  let wallMs = nowMs;
  return {
    ...systemClock,
    nowMs: () => wallMs,
    set: (toMs) => {
      wallMs = toMs;
    },
  };
}

/** What Lambda tells a function of its invocation. */
export const lambdaContext = { awsRequestId: "r1", getRemainingTimeInMillis: () => 30_000 } as unknown as Context;

// biome-ignore lint/suspicious/noExplicitAny: each function has an event of its own
export type Handler = (event: any, context: Context) => Promise<any>;

export interface Functions {
  /** A new instance of a function, as after a cold start; other settings when they are given. */
  fresh(name: FunctionName, more?: Readonly<Record<string, string>>): Handler;
  /** The one at work. */
  instanceOf(name: FunctionName): Handler;
  /** From here on a function runs in a new instance, with other settings when they are given. */
  replace(name: FunctionName, more?: Readonly<Record<string, string>>): void;
}

/** The functions as they are deployed, each joined at its first event. */
export function createFunctions(env: Readonly<Record<string, string>>, options: FunctionOptions): Functions {
  const instances = new Map<FunctionName, Handler>();
  const functions: Functions = {
    fresh(name, more = {}) {
      const made = MAKERS[name]({ ...env, ...more }, options) as Handler;
      return (event, context) => atWork.run(name, () => made(event, context));
    },
    instanceOf(name) {
      const known = instances.get(name) ?? functions.fresh(name);
      instances.set(name, known);
      return known;
    },
    replace: (name, more) => void instances.set(name, functions.fresh(name, more)),
  };
  return functions;
}
