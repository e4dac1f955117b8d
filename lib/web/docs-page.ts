import * as z from "zod";
import type { Page } from "../api/index.ts";
import { documentPage, LOGO } from "./document.ts";
import { type Html, html } from "./html.ts";

/** As much of an OpenAPI document as this page reads. */
const schema = z.looseObject({});
const content = z.record(z.string(), z.looseObject({ schema: schema.optional() }));
const operationSchema = z.looseObject({
  summary: z.string().optional(),
  description: z.string().optional(),
  tags: z.array(z.string()).default([]),
  "x-hearthline-scope": z.string().optional(),
  parameters: z
    .array(
      z.looseObject({
        name: z.string(),
        in: z.string(),
        required: z.boolean().default(false),
        description: z.string().optional(),
        schema: schema.optional(),
      }),
    )
    .default([]),
  requestBody: z.looseObject({ content }).optional(),
  responses: z.record(z.string(), z.looseObject({ description: z.string(), content: content.optional() })).default({}),
});
const documentSchema = z.looseObject({
  info: z.looseObject({ title: z.string(), version: z.string(), description: z.string().default("") }),
  tags: z.array(z.looseObject({ name: z.string(), description: z.string().default("") })).default([]),
  paths: z.record(z.string(), z.record(z.string(), operationSchema)),
  components: z.looseObject({ schemas: z.record(z.string(), schema).default({}) }).optional(),
});
type Operation = z.infer<typeof operationSchema>;

/** The document to be read: routes by tag, what they take and answer, every shape, and every code of an error at its own anchor. */
export function docsPage(
  document: object,
  problems: Readonly<Record<string, readonly [status: number, title: string]>>,
): Page {
  const { info, tags, paths, components } = documentSchema.parse(document);
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  return documentPage({
    title: `${info.title} API`,
    body: html`<div class="wrap">
<header class="top">${LOGO}<span class="brand">${info.title} API</span><span class="muted">${info.version}</span>
<nav><a href="/">Home</a><a href="/openapi.json">openapi.json</a></nav></header>
<main>
<p class="lead">${prose(info.description)}</p>
${tags.map(
  (tag) => html`<h2>${tag.name}: ${tag.description}</h2>
${operations.filter(({ operation }) => operation.tags.includes(tag.name)).map(({ path, method, operation }) => operationPart(method, path, operation))}`,
)}
<h2>Shapes</h2>
${Object.entries(components?.schemas ?? {}).map(
  ([name, shape]) =>
    html`<details id="schema-${name}"><summary><strong>${name}</strong></summary><pre>${JSON.stringify(shape, null, 2)}</pre></details>`,
)}
<h2>Codes of errors</h2>
<div class="sheet scroll"><table><thead><tr><th>Code</th><th>Status</th><th>Means</th></tr></thead><tbody>
${Object.entries(problems).map(
  ([code, [status, title]]) =>
    html`<tr id="problem-${code}"><td><code>${code}</code></td><td>${status}</td><td>${title}</td></tr>`,
)}
</tbody></table></div>
</main><footer></footer></div>
`,
  });
}

function operationPart(method: string, path: string, operation: Operation): Html {
  const scope = operation["x-hearthline-scope"];
  return html`<details><summary><span class="method">${method}</span><code>${path}</code> <span class="muted">${operation.summary}</span></summary>
<p>${prose(operation.description ?? "")}</p>
<p class="small muted">${scope === undefined ? "No token needed; one may show more." : `Needs a token with the scope ${scope}.`}</p>
${operation.parameters.length > 0 && parametersPart(operation.parameters)}
${operation.requestBody && html`<p><strong>Takes</strong> ${shapesPart(operation.requestBody.content)}</p>`}
<div class="scroll"><table><tbody>${Object.entries(operation.responses).map(
    ([status, response]) =>
      html`<tr><td class="key"><strong>${status}</strong></td><td>${prose(response.description)}</td><td class="key">${response.content && shapesPart(response.content)}</td></tr>`,
  )}</tbody></table></div></details>`;
}

const parametersPart = (parameters: Operation["parameters"]): Html => html`<div class="scroll"><table>
<thead><tr><th>Parameter</th><th>In</th><th></th><th>Is</th></tr></thead><tbody>${parameters.map(
  ({ name, in: place, required, description, schema: shape }) =>
    html`<tr><td class="key"><code>${name}</code>${required && " (required)"}</td><td class="key">${place}</td><td>${prose(description ?? "")}</td><td><code>${JSON.stringify({ ...shape, description: undefined })}</code></td></tr>`,
)}</tbody></table></div>`;

/** Text with `code` in it. */
const prose = (text: string): Html =>
  html`${text.split("`").map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part))}`;

/** Media types with a link to the shape, where it has a name. */
const shapesPart = (shapes: z.infer<typeof content>): Html =>
  html`${Object.entries(shapes).map(([mediaType, { schema: shape }]) => {
    const name = /^#\/components\/schemas\/(.+)$/.exec(String(shape?.$ref ?? ""))?.[1];
    return html`<code>${mediaType}</code>${name !== undefined && html` <a href="#schema-${name}">${name}</a>`}${name === undefined && shape && html`<pre>${JSON.stringify(shape, null, 2)}</pre>`} `;
  })}`;
