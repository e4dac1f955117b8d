/** One sample, with its labels unescaped. */
export interface MetricSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}
export interface MetricFamily {
  readonly type: string;
  readonly help: string;
  readonly samples: readonly MetricSample[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const SUFFIXES: Readonly<Record<string, string>> = { gauge: "", counter: "_total", info: "_info", stateset: "" };

/**
 * Reads OpenMetrics text strictly, as the specification 1.0 has it: one block a family, TYPE and HELP before the samples, names and suffixes by type, label values
 * escaped, no sample twice, a counter never below zero, an info always 1, a stateset labelled with its own name, `# EOF` last. @throws Error that quotes the line
 */
export function parseOpenMetrics(text: string): ReadonlyMap<string, MetricFamily> {
  if (!text.endsWith("\n# EOF\n")) throw new Error("it does not end with # EOF");
  const families = new Map<string, { type: string; help: string; samples: MetricSample[] }>();
  const seen = new Set<string>();
  let current = "";
  for (const line of text.slice(0, -"# EOF\n".length).split("\n").slice(0, -1)) {
    const wrong = (why: string): never => {
      throw new Error(`${why}: ${line}`);
    };
    const [, word, family = "", rest = ""] = /^# (TYPE|HELP) (\S+) (.+)$/.exec(line) ?? [];
    if (word === "TYPE") {
      if (!NAME.test(family) || !(rest in SUFFIXES)) wrong("a bad type");
      if (families.has(family)) wrong("a family twice");
      families.set(family, { type: rest, help: "", samples: [] });
      current = family;
    } else if (word === "HELP") {
      const there = families.get(family);
      if (family !== current || !there || there.samples.length > 0 || there.help !== "") wrong("help out of place");
      if (/(?<!\\)(?:\\\\)*\\(?![\\n"])/.test(rest)) wrong("help is not escaped");
      if (there) there.help = rest;
    } else {
      const sample = parseSample(line) ?? wrong("not a sample");
      const there = families.get(current);
      if (!there || sample.name !== current + SUFFIXES[there.type]) return wrong("a sample out of its family");
      const key = sample.name + JSON.stringify(Object.entries(sample.labels).toSorted());
      if (seen.has(key)) wrong("a sample twice");
      seen.add(key);
      if (there.type === "counter" && sample.value < 0) wrong("a counter below zero");
      if (there.type === "info" && sample.value !== 1) wrong("an info that is not 1");
      if (there.type === "stateset" && (!(current in sample.labels) || ![0, 1].includes(sample.value)))
        wrong("no stateset");
      there.samples.push(sample);
    }
  }
  for (const [name, { samples, help }] of families) {
    if (samples.length === 0 || help === "") throw new Error(`${name} has no samples or no help`);
  }
  return families;
}

function parseSample(line: string): MetricSample | undefined {
  const [, name = "", labelText = "", valueText = ""] = /^([^\s{]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
  const value = Number(valueText);
  if (!NAME.test(name) || valueText === "" || !Number.isFinite(value)) return undefined;
  const labels: Record<string, string> = {};
  let left = labelText;
  while (left !== "") {
    const [whole = "", label = "", text = ""] =
      /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"(?:,(?=.)|$)/.exec(left) ?? [];
    if (whole === "" || label in labels) return undefined;
    labels[label] = text.replaceAll(/\\([\\n"])/g, (_all, character: string) => (character === "n" ? "\n" : character));
    left = left.slice(whole.length);
  }
  return { name, labels, value };
}
