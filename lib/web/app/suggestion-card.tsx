import { useEffect, useRef, useState } from "preact/hooks";
import type { WireSuggestion } from "../../api/index.ts";
import { troubleText } from "./client.ts";
import { dateText } from "./day.ts";
import { Chip } from "./parts.tsx";
import { Picture } from "./pattern-card.tsx";
import { useSession } from "./use-data.ts";
import { OUTCOME_TEXTS } from "./words.ts";

export interface SuggestionCardProps {
  readonly suggestion: WireSuggestion;
  readonly onSettled: (changed: WireSuggestion) => void;
}

export function SuggestionCard({ suggestion, onSettled }: SuggestionCardProps) {
  const { id, rank, title, description, evidence, pattern_id: patternId, automation, status } = suggestion;
  return (
    <li class={`sheet card suggestion ${status}`} aria-labelledby={`title-${id}`}>
      <div class="suggestion-words">
        <p class="chips">
          {status === "new" && rank !== undefined && <Chip look="rank">{rank}</Chip>}
          <Chip look="plain">{suggestion.source === "pattern" ? "From a habit" : "From an unused feature"}</Chip>
          {patternId !== undefined && (
            <a class="small" href={`#patterns/${patternId}`}>
              The pattern
            </a>
          )}
        </p>
        <h2 class="card-title" id={`title-${id}`}>
          {title}
        </h2>
        <p class="says">{description}</p>
        <p class="says muted">{evidence}</p>
        <Outcome suggestion={suggestion} />
        {automation && <Yaml id={id} />}
        <Decisions suggestion={suggestion} onSettled={onSettled} />
      </div>
      {patternId !== undefined && status === "new" && <Picture patternId={patternId} />}
    </li>
  );
}

function Outcome({ suggestion }: { readonly suggestion: WireSuggestion }) {
  const { status, rank, outcome, outcome_detail: detail, snoozed_until: until } = suggestion;
  if (status === "snoozed") return <p class="outcome">Put off until {dateText(until ?? "")}.</p>;
  if (status === "dismissed") return <p class="outcome">Dismissed: it is not suggested again.</p>;
  if (status === "new" && rank === undefined)
    return <p class="outcome">It may be suggested again from the next night on.</p>;
  if (status !== "accepted") return null;
  const isGood = outcome === "written" || outcome === "kept";
  const isPoor = outcome === "refused" || outcome === "overridden" || outcome === "removed";
  return (
    <p class={`outcome ${isGood ? "good" : isPoor ? "poor" : ""}`}>
      {outcome === undefined ? "Accepted: it is yours to do." : `${OUTCOME_TEXTS[outcome]}.`}
      {detail !== undefined && <bdi> {detail}</bdi>}
    </p>
  );
}

const SNOOZES = [
  [7, "a week"],
  [14, "two weeks"],
  [30, "a month"],
] as const;

/** What can be decided as things stand; an accepted one whose automation is there is removed in Home Assistant. */
function Decisions({ suggestion, onSettled }: SuggestionCardProps) {
  const { client } = useSession();
  const { id, status, outcome, title } = suggestion;
  const [sending, setSending] = useState("");
  const [trouble, setTrouble] = useState<unknown>(undefined);
  const [days, setDays] = useState(SNOOZES[1][0] as number);
  const group = useRef<HTMLFieldSetElement>(null);
  const hasSent = useRef(false);
  const decide = async (what: "accept" | "dismiss" | "snooze" | "restore") => {
    setSending(what);
    setTrouble(undefined);
    try {
      const path = `/api/v1/suggestions/${encodeURIComponent(id)}/${what}`;
      onSettled(await client.post<WireSuggestion>(path, what === "snooze" ? { days } : undefined));
    } catch (thrown) {
      setTrouble(thrown);
    }
    setSending("");
    hasSent.current = true;
  };
  // The button that was pressed may be gone, and was disabled meanwhile; whoever uses the keyboard is still here.
  useEffect(() => {
    if (sending === "" && hasSent.current) group.current?.focus();
  }, [sending]);
  const canAccept = status !== "accepted" || outcome === "refused" || outcome === "removed";
  const acceptLabel = status === "new" ? "Accept" : status === "accepted" ? "Try once more" : "Accept after all";
  const isBusy = sending !== "";
  return (
    <fieldset
      class={canAccept ? "decisions" : "decisions none"}
      disabled={isBusy}
      aria-busy={isBusy}
      tabIndex={-1}
      ref={group}
    >
      <legend class="visually-hidden">{title}</legend>
      {canAccept && (
        <button type="button" class={status === "new" ? "primary" : ""} onClick={() => decide("accept")}>
          {sending === "accept" ? "Accepting…" : acceptLabel}
        </button>
      )}
      {(status === "new" || status === "snoozed") && (
        <button type="button" class="quiet" onClick={() => decide("dismiss")}>
          {sending === "dismiss" ? "Dismissing…" : "Dismiss"}
        </button>
      )}
      {(status === "dismissed" || status === "snoozed") && (
        <button type="button" class="quiet" onClick={() => decide("restore")}>
          {sending === "restore" ? "Restoring…" : "Restore"}
        </button>
      )}
      {status !== "accepted" && (
        <span class="snooze">
          <button type="button" onClick={() => decide("snooze")}>
            {sending === "snooze" ? "Putting off…" : "Put off"}
          </button>
          <select
            aria-label="For how long"
            value={days}
            onChange={(event) => setDays(Number(event.currentTarget.value))}
          >
            {SNOOZES.map(([value, label]) => (
              <option key={value} value={value}>
                for {label}
              </option>
            ))}
          </select>
        </span>
      )}
      {trouble !== undefined && (
        <p class="trouble" role="alert">
          {troubleText(trouble)}
        </p>
      )}
    </fieldset>
  );
}

const SAYS_COPIED_MS = 2_000;

/** The automation as Home Assistant takes it, fetched when somebody wants to see it. */
function Yaml({ id }: { readonly id: string }) {
  const { client } = useSession();
  const [text, setText] = useState<string | undefined>(undefined);
  const [trouble, setTrouble] = useState<unknown>(undefined);
  const [copied, setCopied] = useState("");
  const code = useRef<HTMLPreElement>(null);
  useEffect(() => {
    if (copied === "") return;
    const timer = setTimeout(() => setCopied(""), SAYS_COPIED_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  const open = async (isOpen: boolean) => {
    if (!isOpen || text !== undefined) return;
    setTrouble(undefined);
    try {
      setText(await client.text(`/api/v1/suggestions/${encodeURIComponent(id)}/automation.yaml`));
    } catch (thrown) {
      setTrouble(thrown);
    }
  };
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text ?? "");
      setCopied("Copied");
    } catch {
      // No clipboard here (an address that is not secure): marked, so that the keyboard copies it.
      if (code.current) getSelection()?.selectAllChildren(code.current);
      setCopied("Marked: copy it now");
    }
  };
  return (
    <details class="yaml" onToggle={(event) => open(event.currentTarget.open)}>
      <summary>The automation as YAML</summary>
      {text !== undefined && (
        <>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard. */}
          <section class="yaml-text" tabIndex={0} aria-label="Automation as YAML">
            <pre ref={code}>{text}</pre>
          </section>
          <button type="button" onClick={copy}>
            Copy
          </button>{" "}
          <output class="muted small">{copied}</output>
        </>
      )}
      {trouble !== undefined && <p class="trouble">{troubleText(trouble)}</p>}
      {text === undefined && trouble === undefined && <p class="muted">Loading…</p>}
    </details>
  );
}
