import { cpus, totalmem } from "node:os";

export type Figures = Readonly<Record<string, number>>;

/** The last line of a bench: one JSON object. Names carry their unit. */
export function report(bench: string, figures: Figures, goals: Figures): void {
  const rounded = Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [name, Number(value.toPrecision(4))]),
  );
  const machine = {
    cpus: cpus().length,
    model: cpus()[0]?.model ?? "",
    memory_bytes: totalmem(),
    node: process.version,
    platform: process.platform,
  };
  process.stdout.write(`${JSON.stringify({ bench, figures: rounded, goals, machine })}\n`);
}

/** Nearest rank; `share` from 0 to 1. NaN of nothing. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Progress, apart from the figures. */
export const progress = (text: string): void => void process.stderr.write(`${text}\n`);
