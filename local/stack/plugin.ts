import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { systemClock } from "../../lib/base/clock.ts";
import { messageOf } from "../../lib/base/errors.ts";
import { createLogger, LOG_LEVELS } from "../../lib/base/log.ts";
import { handlerFile, pointTo } from "./handler-files.ts";
import { type FunctionEvent, type Serverless, toScheduleTrigger, toSqsTrigger } from "./serverless.ts";
import { type RunningStack, startStack } from "./stack.ts";
import type { StackFunction } from "./triggers.ts";

/**
 * The plugin that makes `serverless offline` a complete stack: queues and tables, event sources, schedules. Only `offline` is touched;
 * packaging and deployment see the service as it is written.
 */
export class HearthlineStack {
  readonly hooks: Readonly<Record<string, () => unknown>>;
  readonly #serverless: Serverless;
  #functions: readonly StackFunction[] = [];
  #stack: RunningStack | undefined;

  constructor(serverless: Serverless) {
    this.#serverless = serverless;
    this.hooks = {
      initialize: () => this.#takeOver(),
      // `offline` alone ends its process before any plugin can clean up; its other form does not.
      "before:offline:start": () => serverless.pluginManager.spawn("offline:start"),
      "before:offline:start:init": () => this.#prepare(),
      "after:offline:start:init": () => this.#run(),
      "before:offline:start:end": () => this.#stop(),
    };
  }

  /** Before any plugin acts: what the stack drives itself is taken off the functions, and their handlers are made such that offline can load them. */
  #takeOver(): void {
    if (this.#serverless.processedInput.commands[0] !== "offline") return;
    const { serviceDir, service } = this.#serverless;
    const dataFolder = dataFolderOf(serviceDir);
    this.#functions = Object.entries(service.functions).map(([key, definition]) => {
      const extension = [".ts", ".mjs", ".js"].find((one) =>
        existsSync(handlerFile(serviceDir, definition.handler, one).file),
      );
      const { file, exported } = handlerFile(serviceDir, definition.handler, extension ?? ".ts");
      const taken = definition.events;
      definition.events = taken.filter((event) => !("sqs" in event) && !("schedule" in event));
      definition.handler = pointTo({
        serviceFolder: serviceDir,
        folder: resolve(dataFolder, "handlers"),
        name: key,
        file,
        exported,
      });
      return {
        key,
        name: definition.name,
        file,
        exported,
        timeoutMs: (definition.timeout ?? 6) * 1000,
        memoryMb: definition.memorySize ?? 1024,
        sqs: pick(taken, "sqs").map(toSqsTrigger),
        schedules: pick(taken, "schedule").map(toScheduleTrigger),
      };
    });
  }

  async #prepare(): Promise<void> {
    const { service, serviceDir } = this.#serverless;
    service.provider.environment ??= {};
    endWithParent();
    this.#stack = await orEnd(
      startStack({
        resources: service.resources,
        environment: service.provider.environment,
        region: service.provider.region,
        dataFolder: dataFolderOf(serviceDir),
        clock: systemClock,
        log: createLogger({ level: LOG_LEVELS.find((level) => level === process.env.HEARTHLINE_LOG_LEVEL) ?? "info" }),
      }),
      () => undefined,
    );
    tellParent({ prepared: true });
  }

  async #run(): Promise<void> {
    const stack = this.#stack;
    if (stack) await orEnd(stack.run(this.#functions), () => stack.stop());
    tellParent({ ready: true });
  }

  async #stop(): Promise<void> {
    await this.#stack?.stop();
  }
}

const pick = (events: readonly FunctionEvent[], kind: string): unknown[] =>
  events.flatMap((event) => (kind in event ? [event[kind]] : []));

const dataFolderOf = (serviceDir: string): string => resolve(serviceDir, process.env.HEARTHLINE_DATA || ".hearthline");

/** Under `npm start` the parent watches this process, and without it there is no stack to serve. */
function endWithParent(): void {
  let signals = 0;
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.on(signal, () => {
      if (++signals > 1) process.exit(130);
    });
  if (process.send) process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
}

const tellParent = (message: Readonly<Record<string, unknown>>): void => void process.send?.(message);

/** A stack that cannot run ends its process: serverless-offline's servers would keep it alive, answering to nobody. */
async function orEnd<T>(work: Promise<T>, stop: () => Promise<void> | undefined): Promise<T> {
  try {
    return await work;
  } catch (thrown) {
    process.stderr.write(`${messageOf(thrown)}\n`);
    tellParent({ failed: messageOf(thrown) });
    await stop()?.catch(() => {});
    return process.exit(1);
  }
}
