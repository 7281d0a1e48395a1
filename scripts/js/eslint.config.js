import js from "@eslint/js";
import globals from "globals";

const HTML = "Build nodes and set their textContent.";

export default [
  { ignores: ["**/node_modules/", "**/build/", "**/*.min.js"] },
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "eqeqeq": "error",
      "max-len": ["error", { code: 100 }],
      "no-eval": "error",
      "no-implicit-globals": ["error", { lexicalBindings: true }],
      "no-implied-eval": "error",
      // In a classic script, a function in a block would become a global name of the page.
      "no-inner-declarations": ["error", "functions", { blockScopedFunctions: "disallow" }],
      "no-restricted-properties": [
        "error",
        { object: "document", property: "write", message: HTML },
        ...["innerHTML", "outerHTML", "insertAdjacentHTML", "setHTMLUnsafe"]
          .map((property) => ({ property, message: HTML })),
      ],
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
    },
  },
  {
    files: [
      "django_fcs/**/*.js", "example_project/**/*.js", "lab/**/*.js", "tests/browser/*.js",
      "tests/browser/frameworks/page.js",
    ],
    languageOptions: {
      sourceType: "script",
      globals: {
        ...globals.browser,
        FCSClient: "readonly",
        FCSTickerElement: "readonly",
        FCSTagElement: "readonly",
        FCSPriceElement: "readonly",
        FCSStatusElement: "readonly",
      },
    },
  },
  {
    files: [
      "django_fcs/**/fcs-{announce,chart,chart-plot,chart-visitor,converter}.js",
      "django_fcs/**/fcs-{heatmap,movers,sparkline,spread,table,tape}.js",
      "tests/browser/frameworks/page.js",
    ],
    languageOptions: { sourceType: "module" },
  },
  {
    // The tests use its names in the page.
    files: ["tests/browser/harness.js"],
    languageOptions: { globals: { log: "readonly" } },
    rules: { "no-implicit-globals": ["error", { lexicalBindings: false }] },
  },
  {
    files: ["lab/**/*.mjs", "scripts/js/*.js", "tests/browser/frameworks/build.js"],
    languageOptions: { globals: globals.node },
  },
];
