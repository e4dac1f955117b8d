import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Detector } from "../lib/analysis/detectors/types.ts";
import { PATTERN_KINDS, type PatternKind } from "../lib/analysis/patterns/types.ts";

const folder = join(import.meta.dirname, "../lib/analysis/detectors");
const nameOf = (kind: PatternKind): string => kind.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

/** The detectors of these kinds, each from its own file: one that does not load does not keep the others from being measured. */
export async function loadDetectors(kinds: readonly PatternKind[] = PATTERN_KINDS): Promise<Detector[]> {
  const found: Detector[] = [];
  for (const kind of kinds) {
    const path = join(folder, `${kind}.ts`);
    if (!existsSync(path)) continue;
    const module: Record<string, unknown> = await import(path);
    const detector = module[nameOf(kind)];
    if (detector) found.push(detector as Detector);
  }
  return found;
}
