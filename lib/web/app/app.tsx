import { useEffect, useState } from "preact/hooks";
import { Layers } from "./layers.tsx";
import { Migration } from "./migration.tsx";
import { Nights } from "./nights.tsx";
import { Patterns } from "./patterns.tsx";
import { Suggestions } from "./suggestions.tsx";
import { Yesterday } from "./yesterday.tsx";

export const VIEWS = ["today", "yesterday", "suggestions", "patterns", "nights", "layers", "migration"] as const;
export type ViewName = (typeof VIEWS)[number];

export interface View {
  readonly name: ViewName;
  /** What follows the name: a date, an id. */
  readonly detail: string | undefined;
}

/** The view of `#patterns/some-id`; Today of whatever is none. */
export function viewOf(hash: string): View {
  const [first = "", detail] = hash.replace(/^#/, "").split("/");
  const name = VIEWS.find((view) => view === first) ?? "today";
  return { name, detail: detail ? decoded(detail) : undefined };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Every view but Today, which the server draws. */
export function App() {
  const [view, setView] = useState(() => viewOf(location.hash));
  useEffect(() => {
    const onHash = () => setView(viewOf(location.hash));
    addEventListener("hashchange", onHash);
    return () => removeEventListener("hashchange", onHash);
  }, []);
  switch (view.name) {
    case "yesterday":
      return <Yesterday date={view.detail} />;
    case "suggestions":
      return <Suggestions />;
    case "patterns":
      return <Patterns id={view.detail} />;
    case "nights":
      return <Nights />;
    case "layers":
      return <Layers />;
    case "migration":
      return <Migration />;
    case "today":
      return null;
  }
}
