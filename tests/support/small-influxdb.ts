import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A point as `/write` brought it. Times in microseconds. */
interface Point {
  readonly measurement: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, string | number>>;
  readonly atUs: number;
}

/**
 * As much of InfluxDB 1.6 as reading Home Assistant's measurements needs: `/ping`, `/write`, and of `/query` the statements that the old system's reader sends, parsed as quoted text is.
 * What the real server does: tests/peers/old-system.test.ts, by the same suite.
 */
export async function startSmallInfluxdb() {
  const points = new Map<string, Point>();
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { pathname } = new URL(request.url ?? "/", "http://influxdb");
    if (pathname === "/ping") return response.writeHead(204, { "x-influxdb-version": "1.6.7" }).end();
    if (pathname === "/debug/vars")
      return response.end(JSON.stringify({ memstats: { Sys: 2_000_000, HeapReleased: 500_000 } }));
    if (pathname === "/write") {
      for (const line of body.split("\n").filter((one) => one !== "")) {
        const point = pointOf(line);
        const key = JSON.stringify([point.measurement, point.tags, point.atUs]);
        points.set(key, { ...point, fields: { ...points.get(key)?.fields, ...point.fields } });
      }
      return response.writeHead(204).end();
    }
    const statements = new URLSearchParams(body).get("q") ?? "";
    asked.push(statements);
    const results = splitOutside(statements, ";").map((statement, statement_id) => ({
      statement_id,
      series: answer([...points.values()], statement.trim()),
    }));
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ results }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    clear: () => points.clear(),
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Splits where a character stands outside of quotes and is not escaped. */
function splitOutside(text: string, separator: string): string[] {
  const parts = [""];
  let quote = "";
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? "";
    const last = parts.length - 1;
    if (char === "\\") parts[last] += char + (text[++at] ?? "");
    else if (char === separator && quote === "") parts.push("");
    else {
      if (quote === "" && (char === '"' || char === "'")) quote = char;
      else if (char === quote) quote = "";
      parts[last] += char;
    }
  }
  return parts;
}

/** Within names of a line quotes are characters as any other. */
function splitPlain(text: string, separator: string): string[] {
  return splitOutside(text.replaceAll('"', "\u0001").replaceAll("'", "\u0002"), separator).map((part) =>
    part.replaceAll("\u0001", '"').replaceAll("\u0002", "'"),
  );
}

const plainKey = (text: string) => text.replaceAll(/\\([, =])/g, "$1");

function pointOf(line: string): Point {
  const [keys = "", ...rest] = splitPlain(line, " ");
  const atNs = rest.at(-1) ?? "0";
  const fieldText = line.slice(keys.length + 1, line.length - atNs.length - 1);
  const [measurement = "", ...tagTexts] = splitPlain(keys, ",").map((part) => part);
  const pair = (text: string): [string, string] => {
    const [name = "", ...value] = splitPlain(text, "=");
    return [plainKey(name), value.join("=")];
  };
  const tags = Object.fromEntries(tagTexts.map(pair).map(([name, value]) => [name, plainKey(value)]));
  const fields = splitOutside(fieldText, ",").map((text): [string, string | number] => {
    const equals = text.search(/(?<!\\)=/);
    const value = text.slice(equals + 1);
    const read = value.startsWith('"') ? value.slice(1, -1).replaceAll(/\\(["\\])/g, "$1") : Number(value);
    return [plainKey(text.slice(0, equals)), read];
  });
  return {
    measurement: plainKey(measurement),
    tags,
    fields: Object.fromEntries(fields),
    atUs: Number(atNs.slice(0, -3)),
  };
}

const unquoted = (name: string) => name.slice(1, -1).replaceAll(/\\(["'\\])/g, "$1");

type Test = (point: Point) => boolean;

/** Names, texts, operators, times. */
const TOKEN = /\s*("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\(|\)|AND\b|OR\b|>=|<=|!=|=|>|<|time\b|-?\d+u)/y;

/** A condition of comparisons, AND, OR and brackets. */
function conditionOf(text: string): Test {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const found = TOKEN.exec(text);
    if (!found?.[1]) throw new Error(`cannot parse: ${text}`);
    tokens.push(found[1]);
  }
  const next = () => tokens.shift() ?? "";
  const comparison = (): Test => {
    if (tokens[0] === "(") {
      next();
      const inner = either();
      next();
      return inner;
    }
    const [left, operator, right] = [next(), next(), next()];
    if (left === "time") {
      const us = Number(right.slice(0, -1));
      return ({ atUs }) =>
        ({ ">": atUs > us, ">=": atUs >= us, "<": atUs < us, "<=": atUs <= us, "=": atUs === us })[operator] ?? false;
    }
    const value = ({ tags }: Point) => tags[unquoted(left)] ?? "";
    return operator === "=" ? (point) => value(point) === unquoted(right) : (point) => value(point) !== unquoted(right);
  };
  const both = (): Test => {
    let test = comparison();
    while (tokens[0] === "AND") {
      next();
      const [before, after] = [test, comparison()];
      test = (point) => before(point) && after(point);
    }
    return test;
  };
  const either = (): Test => {
    let test = both();
    while (tokens[0] === "OR") {
      next();
      const [before, after] = [test, both()];
      test = (point) => before(point) || after(point);
    }
    return test;
  };
  return either();
}

const SELECT =
  /^SELECT "state", "value", "(domain", "entity_id|entity_id" AS "counted)" FROM (.*?)(?: WHERE (.*?))?(?: ORDER BY time (ASC|DESC))?(?: LIMIT (\d+))?$/s;
const OTHERS = /^SHOW SERIES FROM (.*?) WHERE (.*?) LIMIT 1$/s;
const COUNT = /^SELECT count\("counted"\) FROM \((.*)\) WHERE (.*?) GROUP BY time\((\d+)u\) fill\(none\)$/s;

function answer(points: readonly Point[], statement: string): object[] {
  const measurements = [...new Set(points.map(({ measurement }) => measurement))].sort();
  const of = (name: string) => points.filter(({ measurement }) => measurement === name);
  if (statement === "SHOW TAG KEYS")
    return measurements.map((name) => {
      const keys = new Set(of(name).flatMap(({ tags }) => Object.keys(tags)));
      return { name, columns: ["tagKey"], values: [...keys].map((key) => [key]) };
    });
  if (statement === "SHOW FIELD KEYS")
    return measurements.map((name) => {
      const types = new Map(
        of(name)
          .flatMap(({ fields }) => Object.entries(fields))
          .map(([key, value]) => [key, typeof value === "number" ? "float" : "string"]),
      );
      return { name, columns: ["fieldKey", "fieldType"], values: [...types] };
    });
  const others = OTHERS.exec(statement);
  if (others) {
    const names = namesIn(others[1] ?? "");
    const found = points.filter((point) => names.has(point.measurement)).filter(conditionOf(others[2] ?? ""));
    return found.length === 0 ? [] : [{ columns: ["key"], values: [[found[0]?.measurement]] }];
  }
  const counted = COUNT.exec(statement);
  if (counted) {
    const [, inner = "", where = "", width = "1"] = counted;
    return selected(points, inner)
      .map(({ name, found }) => {
        const tiles = Map.groupBy(
          found.filter(conditionOf(where)),
          ({ atUs }) => Math.floor(atUs / Number(width)) * Number(width),
        );
        return { name, columns: ["time", "count"], values: [...tiles].map(([at, group]) => [at, group.length]) };
      })
      .filter(({ values }) => values.length > 0);
  }
  return selected(points, statement).map(({ name, found }) => ({
    name,
    columns: ["time", "state", "value", "domain", "entity_id"],
    values: found.map(({ atUs, fields, tags }) => [
      atUs,
      fields.state ?? null,
      fields.value ?? null,
      tags.domain,
      tags.entity_id,
    ]),
  }));
}

const namesIn = (from: string) => new Set(splitOutside(from, ",").map((name) => unquoted(name.trim())));

function selected(points: readonly Point[], statement: string) {
  const found = SELECT.exec(statement);
  if (!found) throw new Error(`not understood: ${statement}`);
  const [, , from = "", where = "", order = "ASC", limit = "1000000"] = found;
  const names = namesIn(from);
  const test = where === "" ? () => true : conditionOf(where);
  const held = points.filter(
    (point) => names.has(point.measurement) && ("state" in point.fields || "value" in point.fields) && test(point),
  );
  const sign = order === "ASC" ? 1 : -1;
  return [...Map.groupBy(held, ({ measurement }) => measurement)].map(([name, group]) => ({
    name,
    // Within a moment by tags, backwards: an order that is not ours.
    found: group
      .toSorted((a, b) => sign * (a.atUs - b.atUs) || (JSON.stringify(a.tags) < JSON.stringify(b.tags) ? 1 : -1))
      .slice(0, Number(limit)),
  }));
}
