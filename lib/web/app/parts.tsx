import type { ComponentChildren } from "preact";
import { troubleText } from "./client.ts";
import { timeText } from "./day.ts";
import { type Data, useSession } from "./use-data.ts";

/** What all views are made of. */

export const Title = ({
  children,
  lead,
}: {
  readonly children: ComponentChildren;
  readonly lead?: ComponentChildren;
}) => (
  <header class="view-head">
    <h1>{children}</h1>
    {lead !== undefined && <p class="lead">{lead}</p>}
  </header>
);

/** A name out of the home, in whatever script and direction. */
export const Name = ({ children }: { readonly children: string }) => <bdi class="name">{children}</bdi>;

export const Chip = ({ look, children }: { readonly look?: string; readonly children: ComponentChildren }) => (
  <span class={`chip ${look ?? ""}`}>{children}</span>
);

export const Empty = ({ title, children }: { readonly title: string; readonly children: ComponentChildren }) => (
  <div class="sheet nothing">
    <p class="nothing-title">{title}</p>
    <p>{children}</p>
  </div>
);

interface ShownProps<T> {
  readonly of: Data<T>;
  readonly children: (data: T) => ComponentChildren;
}

/** The data, or that it is coming, or why it does not. What came before stays, with a note. */
export function Shown<T>({ of, children }: ShownProps<T>) {
  const { clock } = useSession();
  const { data, trouble, atMs, reload } = of;
  if (data === undefined && trouble === undefined)
    return (
      <div class="loading" aria-busy="true">
        <span class="visually-hidden">Loading</span>
        <div class="sheet" />
        <div class="sheet" />
        <div class="sheet" />
      </div>
    );
  return (
    <>
      {trouble !== undefined && (
        <p class="trouble" role="alert">
          <span>
            {troubleText(trouble)} {data !== undefined && `What you see is from ${timeText(atMs, clock)}.`}
          </span>{" "}
          <button type="button" class="quiet" onClick={reload}>
            Try again
          </button>
        </p>
      )}
      {data !== undefined && children(data)}
    </>
  );
}
