import type { WireJob } from "../../api/index.ts";
import { countText } from "../age.ts";
import type { Client } from "./client.ts";
import { dateText } from "./day.ts";
import { Chip, Empty, Shown, Title } from "./parts.tsx";
import { useData } from "./use-data.ts";
import { JOB_LABELS, millisecondsText, phaseLabel } from "./words.ts";

const JOBS_MAX = 1_000;
const NIGHTS_SHOWN = 21;
const PHASES = ["capabilities", "events", "patterns", "features", "suggestions", "publish", "retention"] as const;
const MEBIBYTE = 2 ** 20;

async function readNights(client: Client): Promise<readonly WireJob[]> {
  const { items } = await client.list<WireJob>("/api/v1/jobs?limit=1000", "jobs", JOBS_MAX);
  return items
    .filter(({ kind }) => kind === "daily")
    .slice(-NIGHTS_SHOWN)
    .reverse();
}

const lengthOf = ({ phases }: WireJob): number => phases.reduce((sum, phase) => sum + phase.duration_ms, 0);

/** The phases of the last nights: how long each took, and what went wrong. */
export function Nights() {
  const found = useData("nights", readNights);
  return (
    <>
      <Title lead="Every night the home's last day is looked through in six phases; then what is too old is cleared away.">
        Nights
      </Title>
      <Shown of={found}>
        {(nights) =>
          nights.length === 0 ? (
            <Empty title="No night has been worked through yet.">
              The first runs when the home's day ends, at three in the morning. To look through a day that has ended
              now: <code>npx hearthline analyze</code>.
            </Empty>
          ) : (
            <>
              <ul class="legend" aria-label="Phases">
                {PHASES.map((name) => (
                  <li key={name}>
                    <span class={`swatch phase-${name}`} />
                    {phaseLabel(name)}
                  </li>
                ))}
              </ul>
              <ol class="nights">
                {nights.map((night) => (
                  <Night key={night.id} night={night} longestMs={Math.max(1, ...nights.map(lengthOf))} />
                ))}
              </ol>
            </>
          )
        }
      </Shown>
    </>
  );
}

const LOOKS = { queued: "quiet", running: "plain", succeeded: "good", degraded: "warn", failed: "bad" } as const;

function Night({ night, longestMs }: { readonly night: WireJob; readonly longestMs: number }) {
  const { date, status, phases, peak_rss_bytes: peakBytes } = night;
  const failed = phases.filter((phase) => phase.status === "failed");
  return (
    <li class="sheet night" aria-label={dateText(date)}>
      <details>
        <summary class="night-line">
          <h2 class="night-date">{dateText(date)}</h2>
          <Chip look={LOOKS[status]}>{JOB_LABELS[status]}</Chip>
          <PhaseBar phases={phases} longestMs={longestMs} />
          <span class="night-total">{millisecondsText(lengthOf(night))}</span>
        </summary>
        <div class="scroll">
          <table>
            <thead>
              <tr>
                <th>Phase</th>
                <th class="number">Took</th>
                <th>Counted</th>
              </tr>
            </thead>
            <tbody>
              {phases.map((phase) => (
                <tr key={phase.name}>
                  <td>
                    <span class={`swatch phase-${phase.name}`} />
                    {phaseLabel(phase.name)}
                  </td>
                  <td class="number">{millisecondsText(phase.duration_ms)}</td>
                  <td>{countsText(phase.counts) || <span class="muted">nothing</span>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        {peakBytes !== undefined && (
          <p class="muted small">Most memory: {countText(Math.ceil(peakBytes / MEBIBYTE))} MiB.</p>
        )}
      </details>
      {failed.map(({ name, error }) => (
        <p key={name} class="trouble">
          <span>
            <strong>{phaseLabel(name)}</strong> failed. <bdi>{error}</bdi>
          </span>
        </p>
      ))}
    </li>
  );
}

/** One after another, on the scale of the longest night. */
function PhaseBar({ phases, longestMs }: { readonly phases: WireJob["phases"]; readonly longestMs: number }) {
  const share = (ms: number) => (ms / longestMs) * 100;
  const begins = phases.map((_, index) => phases.slice(0, index).reduce((sum, phase) => sum + phase.duration_ms, 0));
  return (
    <svg class="phases" width="100%" height="14" role="img" aria-label="How long its phases took">
      {phases.map(({ name, duration_ms: ms }, index) => (
        <rect
          key={name}
          x={`${share(begins[index] ?? 0)}%`}
          width={`${Math.max(0.3, share(ms))}%`}
          height="14"
          class={`phase-${name}`}
        >
          <title>{`${phaseLabel(name)}: ${millisecondsText(ms)}`}</title>
        </rect>
      ))}
    </svg>
  );
}

const countsText = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .filter(([, count]) => count !== 0)
    .map(([name, count]) => `${name.replaceAll(/[_-]|(?<=[a-z])(?=[A-Z])/g, " ").toLowerCase()} ${countText(count)}`)
    .join(", ");
