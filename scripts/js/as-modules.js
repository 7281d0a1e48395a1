// Copies the scripts into build/ as modules that return what the scripts make global, so that
// public.ts can refer to the types of it. The copies are for the type checker and never run.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

const scripts = new URL("../../django_fcs/static/django_fcs/", import.meta.url);
const build = new URL("build/", import.meta.url);

mkdirSync(build, { recursive: true });
for (const name of ["fcs-client.js", "fcs-elements.js"]) {
  const names = [];
  const body = readFileSync(new URL(name, scripts), "utf8")
    .replace(/^( *)globalThis\.(\w+) = /gm, (_, indent, global) => {
      names.push(global);
      return `${indent}const ${global} = `;
    })
    .replace(/\}\s*$/, () => `return { ${names.join(", ")} };\n}`);
  // Errors are reported for the scripts themselves.
  const module = `// @ts-nocheck\nexport default function script() {\n${body}\n}\n`;
  writeFileSync(new URL(name, build), module);
}
