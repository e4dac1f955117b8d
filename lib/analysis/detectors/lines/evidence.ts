import type { DayEvidence } from "../../patterns/types.ts";
import { byText } from "../order.ts";

const MOST_DAYS = 90;

/** Occasions by day, ascending. */
export function evidenceOf(occasions: Iterable<{ readonly date: string; readonly isHit: boolean }>): DayEvidence[] {
  const byDate = new Map<string, { date: string; hits: number; opportunities: number }>();
  for (const { date, isHit } of occasions) {
    const day = byDate.get(date) ?? { date, hits: 0, opportunities: 0 };
    byDate.set(date, day);
    day.opportunities++;
    if (isHit) day.hits++;
  }
  return [...byDate.values()].sort((a, b) => byText(a.date, b.date)).slice(-MOST_DAYS);
}
