// Writes NAME.min.js and NAME.min.css beside each script and stylesheet of the package, and the
// scripts of every page as one file. With --check, it writes nothing, and fails if a file is not
// what it would write.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { transformSync } from "esbuild";
import { minify_sync as compress } from "terser";
import { MEMBERS } from "./members.js";

const FOLDER = new URL("../../django_fcs/static/django_fcs/", import.meta.url);
// One file is one request less, and compresses better. Pages of a site's own may take the client
// alone.
const [CORE, PARTS] = ["fcs.js", ["fcs-client.js", "fcs-elements.js"]];
const MINIFIED = /\.min\.(?:js|css)$/;

// The result is in ASCII: not every server says that its files are UTF-8.
const minifyStyle = (source) => transformSync(source, { loader: "css", minify: true }).code;
// Modules use members of the elements, so a member has the same short name in all files.
let mangleCache = {};
const minifyScript = (source, isModule) => {
  const mangleProps = new RegExp(`^(?:${MEMBERS.join("|")})$`);
  const settings = { minify: true, target: "es2022", mangleProps, mangleCache };
  const { code, mangleCache: names } = transformSync(source, settings);
  mangleCache = names;
  // Terser inlines and joins what esbuild leaves.
  const options = {
    ecma: 2020,
    module: isModule,
    compress: { passes: 3, keep_fargs: false, pure_getters: true },
    format: { ascii_only: true },
  };
  return `${compress(code, options).code}\n`;
};
const minify = (name, source) => {
  const isModule = ![CORE, ...PARTS].includes(name);
  const code = extname(name) === ".js" ? minifyScript(source, isModule) : minifyStyle(source);
  // A test without Node finds out by the hash that the source has changed.
  const hash = createHash("sha256").update(source).digest("hex").slice(0, 8);
  return `/*${hash}*/${code}`;
};

const read = (name) => readFileSync(new URL(name, FOLDER), "utf8");
const names = readdirSync(FOLDER).filter((name) => /\.(?:js|css)$/.test(name));
const wanted = new Map([["fcs.min.js", minify(CORE, PARTS.map(read).join(""))]]);
for (const name of names.filter((name) => !MINIFIED.test(name))) {
  if (name === PARTS[1]) continue;
  wanted.set(name.replace(/\.(?=\w+$)/, ".min."), minify(name, read(name)));
}
const present = names.filter((name) => MINIFIED.test(name));

const isRight = (name) => {
  const file = new URL(name, FOLDER);
  return existsSync(file) && readFileSync(file, "utf8") === wanted.get(name);
};
const wrong = [...new Set([...wanted.keys(), ...present])].filter((name) => !isRight(name));

if (process.argv.includes("--check")) {
  for (const name of wrong) console.error(`${name} is out of date: run make minify`);
  process.exitCode = wrong.length ? 1 : 0;
} else {
  for (const name of wrong) {
    const file = new URL(name, FOLDER);
    if (wanted.has(name)) writeFileSync(file, wanted.get(name));
    else rmSync(file);
    console.log(fileURLToPath(file));
  }
}
