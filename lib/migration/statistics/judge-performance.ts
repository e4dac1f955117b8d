import { centreInterval, inflationOf, pairsFor } from "./centre.ts";
import type { Interval, Sides } from "./evidence.ts";
import { type Evidence, type KindSummary, merge } from "./performance.ts";
import { tailInterval, tailPairsFor } from "./tail.ts";

export interface PerformanceLimits {
  readonly alertPercent: number;
  readonly rollbackPercent: number;
  /** Of one stage's life, all kinds and figures together. */
  readonly alpha: number;
  /** How many kinds of queries are judged beside each other. */
  readonly kinds: number;
}

/** One figure's judgement. Ratios of NEW's to OLD's time. */
export interface Judgement {
  readonly verdict: "pass" | "fail" | "inconclusive";
  /** Of a failed one: as slow as what the plan takes back, and not merely more than what it tells. */
  readonly isRollback: boolean;
  readonly isAlert: boolean;
  /** Of this stage or of the migration so far: that which decided. */
  readonly span: "stage" | "whole";
  readonly interval: Interval;
  /** What the bound was compared with. */
  readonly limit: number;
  readonly pairs: number;
  /** Of an inconclusive one: how many more. */
  readonly pairsWanted?: number;
}

/** More cannot be wanted than is ever kept. */
const WANTED_MAX = 20_000;
/** What equal systems need on the average before anything is known of the spread. */
const WANTED_AT_FIRST = { centre: 600, tail: 1_000 };

interface Lines {
  readonly alert: number;
  readonly rollback: number;
  /** A quarter of the way to the alert, halfway to it, and halfway from it to the rollback; of ratios. */
  readonly notEqual: number;
  readonly towardsAlert: number;
  readonly towardsRollback: number;
}

const linesOf = ({ alertPercent, rollbackPercent }: PerformanceLimits): Lines => {
  const [alert, rollback] = [1 + alertPercent / 100, 1 + rollbackPercent / 100];
  return {
    alert,
    rollback,
    notEqual: alert ** 0.25,
    towardsAlert: Math.sqrt(alert),
    towardsRollback: Math.sqrt(alert * rollback),
  };
};

/**
 * Both figures of one kind. It fails when it is shown that NEW is slower by more than `alertPercent`; that takes the migration back when the estimate lies nearer to the rollback's limit than to the alert's. It passes when
 * the whole is shown to be faster than a limit (the usual pair: the alert's; the p95: the rollback's) and the stage's usual pair to be faster than the rollback's. A wrong pass has a chance of at most alpha in a stage: every
 * part must say yes. A wrong fail too: there, any part may say no, so alpha is shared among kinds, figures and spans.
 */
export function judgeKind(
  { past, stage }: KindSummary,
  limits: PerformanceLimits,
): { readonly centre: Judgement; readonly tail: Judgement } {
  const lines = linesOf(limits);
  const whole = merge(past, stage);
  const shared = limits.alpha / (4 * limits.kinds);
  const figure = (own: Figure): Judgement => judgeFigure({ own, whole, stage, lines, shared, alpha: limits.alpha });
  return { centre: figure(centreFigure(lines)), tail: figure(tailFigure(lines)) };
}

/** How a figure is read off a span, and below which line each span must lie; a span without one only vetoes. */
interface Figure {
  readonly passBelow: { readonly whole: number; readonly stage?: number };
  readonly wantedAtFirst: number;
  interval(evidence: Evidence, sides: Sides): Interval;
  pairs(evidence: Evidence): number;
  pairsFor(evidence: Evidence, line: number, alpha: number): number | undefined;
}

const centreFigure = ({ alert, rollback }: Lines): Figure => ({
  passBelow: { whole: alert, stage: rollback },
  wantedAtFirst: WANTED_AT_FIRST.centre,
  interval: ({ centre }, sides) => centreInterval(centre, sides),
  pairs: ({ centre }) => centre.pairs,
  pairsFor: ({ centre }, line, alpha) => pairsFor(centre, line, alpha),
});

const tailFigure = ({ rollback }: Lines): Figure => ({
  passBelow: { whole: rollback },
  wantedAtFirst: WANTED_AT_FIRST.tail,
  interval: ({ tail }, sides) => tailInterval(tail, sides),
  pairs: ({ tail }) => tail.pairs,
  pairsFor: ({ tail }, line, alpha) => tailPairsFor(tail, line, alpha),
});

interface Judged {
  readonly own: Figure;
  readonly whole: Evidence;
  readonly stage: Evidence;
  readonly lines: Lines;
  readonly shared: number;
  readonly alpha: number;
}

function judgeFigure({ own, whole, stage, lines, shared, alpha }: Judged): Judgement {
  // The whole knows best how neighbours hang together; a stage that has just begun cannot.
  const inflation = Math.max(inflationOf(whole.centre), inflationOf(stage.centre));
  const lookAt = (span: "whole" | "stage", evidence: Evidence) => {
    const interval = own.interval(evidence, { low: shared, high: alpha, inflation });
    const { low, estimate } = interval;
    const isAlert = (low ?? 0) > lines.notEqual && (estimate ?? 0) > lines.towardsAlert;
    return { span, interval, isAlert, pairs: own.pairs(evidence), limit: own.passBelow[span], evidence };
  };
  const ofWhole = lookAt("whole", whole);
  const looks = [ofWhole, lookAt("stage", stage)];
  const isAlert = looks.some((look) => look.isAlert);
  const failed = looks.filter(({ interval }) => (interval.low ?? 0) > lines.alert);
  const worst = failed.find(({ interval }) => (interval.estimate ?? 0) >= lines.towardsRollback) ?? failed[0];
  if (worst) {
    const isRollback = (worst.interval.estimate ?? 0) >= lines.towardsRollback;
    const { span, interval, pairs } = worst;
    return { verdict: "fail", isRollback, isAlert: true, span, interval, pairs, limit: lines.alert };
  }
  const open = looks.find(({ interval, limit }) => limit !== undefined && !((interval.high ?? Infinity) < limit));
  const { span, interval, pairs, limit = lines.alert, evidence } = open ?? ofWhole;
  const said = { isRollback: false, span, interval, pairs, limit };
  if (!open) return { ...said, verdict: "pass", isAlert: false };
  const target = (interval.estimate ?? 1) < limit ? limit : lines.alert;
  const all = own.pairsFor(evidence, target, alpha) ?? (pairs === 0 ? own.wantedAtFirst : WANTED_MAX);
  const pairsWanted = Math.min(WANTED_MAX, Math.max(1, Math.ceil(all - pairs)));
  return { ...said, verdict: "inconclusive", isAlert, pairsWanted };
}
