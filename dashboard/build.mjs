// Builds the page into ../crates/server/assets/dashboard: each file as brotli and as gzip, a table of them for the compiler,
// and the licences of all that went in. Writes the page's questions into documents, for servers that answer trusted ones only.
//
//   node build.mjs           writes the files
//   node build.mjs --check   builds in memory and fails where the committed files differ (after decompression)
//
// Either way the first script with everything it loads at once must stay below INITIAL_MAX.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, brotliDecompressSync, constants, gunzipSync, gzipSync } from "node:zlib";
import { generate } from "@graphql-codegen/cli";
import { build, createServer } from "vite";
import { licences } from "../crates/server/playground/licences.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const OUT = resolve(HERE, "../crates/server/assets/dashboard");
const DOCUMENTS = join(HERE, "documents");
const PLAIN = new Set(["assets/LICENSES.txt", "table.rs"]);
const KEPT = new Set(["README.md"]);
const INITIAL_MAX = 250_000;
const NATURAL_EARTH = "The map is made of Natural Earth's data, which is in the public domain.";
const TYPES = { html: "HTML", css: "CSS", js: "SCRIPT", svg: "SVG", woff2: "WOFF2", json: "JSON", txt: "TEXT" };

process.chdir(HERE);
const { default: codegen } = await import("./codegen.mjs");
await generate(codegen, true);
const [files, texts] = [await bundle(), await documents()];
if (process.argv.includes("--check")) check(files, texts);
else write(files, texts);

async function bundle() {
  const made = await build({ root: HERE, configFile: join(HERE, "vite.config.ts"), logLevel: "warn", build: { write: false } });
  const { output } = Array.isArray(made) ? made[0] : made;
  const files = new Map();
  for (const item of output) files.set(item.fileName, Buffer.from(item.type === "chunk" ? item.code : item.source));
  measure(output);
  files.set("assets/LICENSES.txt", Buffer.from(licences(HERE, [metafile(output)], { what: "dashboard", note: NATURAL_EARTH })));
  const names = [...files.keys()].sort();
  files.set("table.rs", Buffer.from(table(names)));
  return files;
}

/** Each question as the client sends it, to the byte: what a server with `graphql.trusted_documents` must know. */
async function documents() {
  const vite = await createServer({ root: HERE, configFile: false, appType: "custom", logLevel: "error", server: { middlewareMode: true, hmr: false, ws: false }, optimizeDeps: { noDiscovery: true } });
  try {
    const generated = await vite.ssrLoadModule("/src/gql/graphql.ts");
    const { createRequest, formatDocument, stringifyDocument } = await vite.ssrLoadModule("@urql/core");
    const questions = Object.entries(generated).filter(([name, text]) => name.endsWith("Document") && /^\s*query /m.test(String(text)));
    return new Map(questions.map(([name, text]) => [`${name.replace(/Document$/, "")}.graphql`, stringifyDocument(formatDocument(createRequest(String(text), {}).query))]));
  } finally {
    await vite.close();
  }
}

/** What the page loads before anything is asked for: the entry and its static imports. */
function measure(output) {
  const chunks = new Map(output.filter((item) => item.type === "chunk").map((chunk) => [chunk.fileName, chunk]));
  const entry = [...chunks.values()].find((chunk) => chunk.isEntry);
  const first = new Set();
  const add = (name) => {
    if (first.has(name) || !chunks.has(name)) return;
    first.add(name);
    chunks.get(name).imports.forEach(add);
  };
  add(entry.fileName);
  const size = [...first].reduce((sum, name) => sum + brotli(Buffer.from(chunks.get(name).code)).length, 0);
  console.log(`script loaded at once: ${size} bytes of brotli, at most ${INITIAL_MAX}`);
  for (const chunk of chunks.values()) console.log(`  ${first.has(chunk.fileName) ? "at once " : "on need"} ${brotli(Buffer.from(chunk.code)).length} ${chunk.fileName}`);
  if (size > INITIAL_MAX) throw new Error("the first script is too large: load charts and views when they are needed");
}

/** As esbuild tells what a bundle is made of, which is what `licences` reads. Fonts and maps are assets, not modules. */
function metafile(output) {
  const inputs = { "node_modules/@fontsource-variable/inter/index.css": { bytesInOutput: 1 } };
  for (const item of output)
    for (const [id, module] of Object.entries(item.modules ?? {}))
      if (!id.startsWith("\0")) inputs[relative(HERE, id.split("?")[0])] = { bytesInOutput: module.renderedLength };
  return { outputs: { all: { inputs } } };
}

function brotli(body) {
  return brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: body.length } });
}

/** A Rust expression: name, type, and the bytes as brotli and as gzip, or plain where packing gains nothing. */
function table(names) {
  const rows = names.map((name) => {
    const type = TYPES[name.split(".").at(-1)];
    if (!type) throw new Error(`${name}: no type is known for it`);
    const bytes = stored(name).map((file) => `include_bytes!("${file}")`).join(", ");
    return `    ${stored(name).length === 2 ? "packed" : "plain"}("${name}", ${type}, ${bytes}),\n`;
  });
  return `// Written by dashboard/build.mjs.\n[\n${rows.join("")}]\n`;
}

function stored(name) {
  return PLAIN.has(name) || name.endsWith(".woff2") ? [name] : [`${name}.br`, `${name}.gz`];
}

function write(files, texts) {
  rmSync(DOCUMENTS, { recursive: true, force: true });
  mkdirSync(DOCUMENTS);
  for (const [name, text] of texts) writeFileSync(join(DOCUMENTS, name), text);
  rmSync(join(OUT, "assets"), { recursive: true, force: true });
  mkdirSync(join(OUT, "assets"), { recursive: true });
  for (const name of readdirSync(OUT)) if (!KEPT.has(name) && name !== "assets") rmSync(join(OUT, name));
  let total = 0;
  for (const [name, body] of files)
    for (const file of stored(name)) {
      const bytes = file === name ? body : file.endsWith(".br") ? brotli(body) : gzipSync(body, { level: 9 });
      writeFileSync(join(OUT, file), bytes);
      total += bytes.length;
    }
  console.log(`${files.size} files, ${total} bytes`);
}

function check(files, texts) {
  const expected = new Map([...files].flatMap(([name, body]) => stored(name).map((file) => [file, body])));
  const found = existsSync(OUT) ? readdirSync(OUT, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => relative(OUT, join(entry.parentPath, entry.name))).filter((name) => !KEPT.has(name)) : [];
  const faults = found.filter((file) => !expected.has(file)).map((file) => `${file}: not made by the build`);
  for (const [file, body] of expected)
    if (!found.includes(file)) faults.push(`${file}: missing`);
    else if (!body.equals(unpacked(file))) faults.push(`${file}: differs from what the sources give`);
  for (const name of new Set([...texts.keys(), ...(existsSync(DOCUMENTS) ? readdirSync(DOCUMENTS) : [])]))
    if (!existsSync(join(DOCUMENTS, name)) || readFileSync(join(DOCUMENTS, name), "utf8") !== texts.get(name)) faults.push(`documents/${name}: differs from what the sources give`);
  if (faults.length) {
    console.error(`${faults.join("\n")}\nRun \`npm ci && npm run build\` in dashboard and commit the result.`);
    process.exit(1);
  }
  console.log(`${expected.size} files are what the sources give`);
}

function unpacked(file) {
  const bytes = readFileSync(join(OUT, file));
  return file.endsWith(".br") ? brotliDecompressSync(bytes) : file.endsWith(".gz") ? gunzipSync(bytes) : bytes;
}
