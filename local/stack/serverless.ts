/** What the plugin uses of the framework (osls 4, which keeps the shapes of the Serverless Framework 3). */
export interface Serverless {
  readonly serviceDir: string;
  readonly service: {
    readonly service: string;
    readonly provider: { readonly region: string; environment?: Record<string, unknown> };
    readonly functions: Readonly<Record<string, FunctionDefinition>>;
    readonly resources?: unknown;
    readonly custom?: Readonly<Record<string, unknown>>;
  };
  readonly pluginManager: {
    spawn(command: string): Promise<void>;
  };
  readonly processedInput: { readonly commands: readonly string[] };
}

export interface FunctionDefinition {
  /** The full name, such as `hearthline-local-enrich`. */
  readonly name: string;
  /** `functions/enrich.handler`; made to point to a file that offline can load. */
  handler: string;
  /** Seconds. */
  readonly timeout?: number;
  readonly memorySize?: number;
  events: FunctionEvent[];
}

export type FunctionEvent = Readonly<Record<string, unknown>>;

export interface SqsTrigger {
  readonly arn: unknown;
  readonly batchSize?: number;
  /** Seconds. */
  readonly maximumBatchingWindow?: number;
  readonly maximumConcurrency?: number;
  readonly functionResponseType?: string;
  readonly enabled?: boolean;
}

export interface ScheduleTrigger {
  readonly rate: readonly string[];
  readonly timezone?: string;
  readonly input?: unknown;
  readonly enabled?: boolean;
}

/** A trigger in any of its written forms: `sqs: ARN` or `sqs: { arn, ... }`. */
export const toSqsTrigger = (written: unknown): SqsTrigger =>
  isObject(written) && "arn" in written ? (written as unknown as SqsTrigger) : { arn: written };

/** `schedule: rate(5 minutes)`, `schedule: { rate: ... }` with one expression or a list. */
export const toScheduleTrigger = (written: unknown): ScheduleTrigger => {
  if (!isObject(written)) return { rate: [String(written)] };
  return { ...written, rate: [written.rate].flat().map(String) } as ScheduleTrigger;
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;
