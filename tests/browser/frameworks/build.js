// Makes what browsers cannot read as it is in the packages: one script of React and page.js, and
// Tailwind's stylesheet with the classes of the tests.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { build } from "esbuild";
import { compile } from "tailwindcss";

const FOLDER = new URL("made/", import.meta.url);
const CLASSES = [
  "bg-blue-600", "border", "divide-y", "px-4", "rounded", "scheme-dark", "text-white", "w-full",
];
const { resolve } = createRequire(import.meta.url);

const loadStylesheet = async (id, base) => {
  const path = resolve(id === "tailwindcss" ? "tailwindcss/index.css" : id);
  return { path, base, content: await readFile(path, "utf8") };
};

await mkdir(FOLDER, { recursive: true });
const sheet = await compile('@import "tailwindcss";', { base: ".", loadStylesheet });
await writeFile(new URL("tailwind.css", FOLDER), sheet.build(CLASSES));
await build({
  entryPoints: [new URL("page.js", import.meta.url).pathname],
  outfile: new URL("react.js", FOLDER).pathname,
  bundle: true,
  // React says what it finds wrong in a page.
  define: { "process.env.NODE_ENV": '"development"' },
  logLevel: "warning",
});
