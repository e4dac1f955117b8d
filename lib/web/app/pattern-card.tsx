import { useEffect, useRef, useState } from "preact/hooks";
import type { WirePattern, WirePatternDetail } from "../../api/index.ts";
import { Evidence } from "./charts.tsx";
import { troubleText } from "./client.ts";
import { Chip, Name } from "./parts.tsx";
import { useData } from "./use-data.ts";
import {
  KIND_LABELS,
  LIFE_LABELS,
  lengthText,
  lifeText,
  reliabilityText,
  significanceText,
  whenText,
} from "./words.ts";

/** The evidence of a pattern, fetched when it comes near to being seen. */
export function Picture({ patternId }: { readonly patternId: string }) {
  const [isNear, setIsNear] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const watcher = new IntersectionObserver(
      (seen) => {
        if (seen.some(({ isIntersecting }) => isIntersecting)) setIsNear(true);
      },
      { rootMargin: "400px" },
    );
    if (place.current) watcher.observe(place.current);
    return () => watcher.disconnect();
  }, []);
  return (
    <div class="picture" ref={place}>
      {isNear && <Fetched patternId={patternId} />}
    </div>
  );
}

function Fetched({ patternId }: { readonly patternId: string }) {
  const { data, trouble } = useData(`pattern ${patternId}`, (client) =>
    client.get<WirePatternDetail>(`/api/v1/patterns/${encodeURIComponent(patternId)}`),
  );
  if (data) return <Evidence pattern={data} />;
  return trouble === undefined ? null : <p class="muted small">{troubleText(trouble)}</p>;
}

export interface PatternCardProps {
  readonly pattern: WirePattern;
  readonly areaName: string | undefined;
  /** Of entities, by their ids. */
  readonly nameOf: (entityId: string) => string;
}

export function PatternCard({ pattern, areaName, nameOf }: PatternCardProps) {
  const { id, kind, title, status, automated, steps } = pattern;
  const says = [whenText(pattern), lengthText(pattern)].filter((line) => line !== undefined);
  return (
    <li class={`sheet card ${status}`} id={`pattern-${id}`}>
      <p class="chips">
        <Chip>{KIND_LABELS[kind]}</Chip>
        {areaName !== undefined && (
          <Chip look="plain">
            <Name>{areaName}</Name>
          </Chip>
        )}
        {automated && <Chip look="good">Automated already</Chip>}
        {status !== "active" && <Chip look="quiet">{LIFE_LABELS[status]}</Chip>}
      </p>
      <h2 class="card-title">{title}</h2>
      {says.map((line) => (
        <p key={line} class="says">
          {line}.
        </p>
      ))}
      {steps && (
        <ol class={kind === "room" ? "steps together" : "steps"}>
          {steps.map(({ entity_id, state }) => (
            <li key={`${entity_id}=${state}`}>
              <Name>{nameOf(entity_id)}</Name> <bdi class="muted">{state}</bdi>
            </li>
          ))}
        </ol>
      )}
      <Picture patternId={id} />
      <p class="numbers">
        <span>{reliabilityText(pattern)}</span>
        <span>{significanceText(pattern)}</span>
        <span>{lifeText(pattern)}</span>
      </p>
    </li>
  );
}
