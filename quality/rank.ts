import type { Finding } from "../lib/analysis/detectors/types.ts";
import type { Pattern } from "../lib/analysis/ports.ts";
import { draftOfPattern, type Names, rankDrafts, type Suggestion } from "../lib/suggestions/index.ts";

/** Puts the findings that become suggestions in their order, best first. `before`: the list of the night before, if it is known. */
export type Rank = (findings: readonly Finding[], before: readonly Finding[]) => readonly Finding[];

const SUGGESTIBLE: ReadonlySet<string> = new Set([
  "time-of-day",
  "co-occurrence",
  "sequence",
  "room",
  "duration",
  "seasonal",
]);

/** The plainest order there is, to compare with. */
export const rankByReliability: Rank = (findings) =>
  findings
    .filter(({ kind, automated }) => !automated && SUGGESTIBLE.has(kind))
    .sort((a, b) => b.reliability - a.reliability || (a.key < b.key ? -1 : 1));

const NAMES: Names = { entity: (entityId) => entityId, deviceClass: () => undefined };
const NIGHT = "2026-01-01";
const NOW = `${NIGHT}T04:00:00Z`;

const patternOf = (finding: Finding): Pattern => ({
  ...finding,
  homeId: "home",
  id: `${finding.kind} ${finding.key}`,
  status: "active",
  witnessedHits: finding.hits,
  firstSeen: NIGHT,
  lastSeen: NIGHT,
  toldOn: NIGHT,
  confirmedOn: NIGHT,
  title: "",
});

const standing = (finding: Finding, index: number): Suggestion => ({
  homeId: "home",
  id: `p-${patternOf(finding).id}`,
  source: "pattern",
  rank: index + 1,
  score: 0,
  title: "",
  description: "",
  evidence: "",
  status: "new",
  createdAt: NOW,
  updatedAt: NOW,
  history: [],
});

/** As the product's own suggestions are drafted and ranked in a home that has answered none yet. */
export const rankAsProduct: Rank = (findings, before) => {
  const byId = new Map(findings.map((finding) => [patternOf(finding).id, finding]));
  const drafts = findings.flatMap((finding) => draftOfPattern(patternOf(finding), NAMES) ?? []);
  const told = rankDrafts(drafts, { there: before.map(standing), now: NOW, excluded: () => false });
  return told.flatMap(({ patternId }) => byId.get(patternId ?? "") ?? []);
};
