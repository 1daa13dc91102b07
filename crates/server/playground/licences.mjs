// Gathers the licence texts of every npm package of which a byte reached the bundle.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

const TEXT = /^(licen[cs]e|notice|copying|thirdpartynotices)/i;

// Packages published without the licence text of the repository they come from, and a sibling that has it.
const SIBLINGS = {
  "@graphiql/plugin-doc-explorer": "graphiql",
  "@graphiql/plugin-explorer": "graphiql",
  "@graphiql/plugin-history": "graphiql",
  "react-compiler-runtime": "react",
  "react-remove-scroll-bar": "react-remove-scroll",
};

// What monaco-editor carries inside without naming it in its notices.
const INSIDE_MONACO = `monaco-editor contains DOMPurify 3.1.7, (c) Cure53 and other contributors, used here under the Apache License 2.0,
and the Codicons font, (c) Microsoft Corporation, under the Creative Commons Attribution 4.0 licence. The texts of both
licences are below.`;

const RULE = "=".repeat(80);

/** One text: a list of packages, then each distinct licence text under the packages that carry it. `note`: what no package says of itself. */
export function licences(root, metafiles, { what = "playground", note = INSIDE_MONACO } = {}) {
  const packages = bundledPackages(metafiles).map((path) => describe(root, path));
  const byText = new Map();
  for (const { title, texts } of packages)
    for (const text of texts) byText.set(text, [...(byText.get(text) ?? []), title]);
  const list = packages.map(({ title, licence }) => `  ${title} (${licence})`).join("\n");
  const bodies = [...byText].map(([text, titles]) => `${RULE}\n${titles.join("\n")}\n${RULE}\n\n${text}\n`);
  return `The ${what} is made of Throng's own code and of these packages:\n\n${list}\n\n${note}\n\nTheir licences follow.\n\n${bodies.join("\n")}`;
}

function bundledPackages(metafiles) {
  const used = metafiles.flatMap(({ outputs }) =>
    Object.values(outputs).flatMap(({ inputs }) =>
      Object.entries(inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path),
    ),
  );
  const paths = used.map((path) => path.match(/^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//)?.[1]).filter(Boolean);
  return [...new Set(paths)].sort();
}

function describe(root, path) {
  const { name, version, license } = JSON.parse(readFileSync(join(root, path, "package.json"), "utf8"));
  const texts = textsIn(join(root, path));
  if (SIBLINGS[name] && texts.length === 0) texts.push(...textsIn(join(root, "node_modules", SIBLINGS[name])));
  if (texts.length === 0) throw new Error(`${name} ${version} (${license}) carries no licence text`);
  return { title: `${name} ${version}`, licence: license, texts };
}

function textsIn(folder) {
  return readdirSync(folder)
    .filter((file) => TEXT.test(file))
    .sort()
    .map((file) => readFileSync(join(folder, file), "utf8").replaceAll("\r\n", "\n").trim());
}
