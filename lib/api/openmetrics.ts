/** The text of OpenMetrics, family by family. */

/** Samples of one name. */
export interface Family {
  readonly name: string;
  readonly type: "gauge" | "counter" | "info" | "stateset";
  readonly help: string;
  readonly samples: readonly Sample[];
}
/** `suffix`: what the type adds to the family's name, such as `_total`. */
interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly suffix?: string;
}

/** One sample an item: its labels, and its value under the empty name. An item without a value has no sample. */
export function gauge<T>(
  name: string,
  help: string,
  items: readonly T[],
  of: (item: T) => Record<string, string | number | undefined>,
): Family {
  const samples = items.flatMap((item) => {
    const { "": value, ...labels } = of(item);
    return typeof value === "number" ? [{ labels: labels as Record<string, string>, value }] : [];
  });
  return { name, type: "gauge", help, samples };
}

const escaped = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

export function familyText({ name, type, help, samples }: Family): string {
  const lines = samples.map(({ labels, value, suffix = "" }) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
    return `${name}${suffix}${pairs.length > 0 ? `{${pairs.join(",")}}` : ""} ${value}\n`;
  });
  return `# TYPE ${name} ${type}\n# HELP ${name} ${escaped(help)}\n${lines.join("")}`;
}
