import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

// `npm run dev` passes questions on to a server that runs: THRONG_URL, or the demo's address.
const server = process.env.THRONG_URL ?? "http://127.0.0.1:8080";

/** The font is known only once the style sheet has come; this lets it come beside it. */
const fontFirst: Plugin = {
  name: "font-first",
  transformIndexHtml: {
    order: "post",
    handler(_page, { bundle }) {
      const font = Object.keys(bundle ?? {}).find((name) => name.endsWith(".woff2"));
      const attrs = { rel: "preload", as: "font", type: "font/woff2", crossorigin: true, href: `./${font}` };
      return font ? [{ tag: "link", attrs, injectTo: "head" }] : [];
    },
  },
};

export default defineConfig({
  base: "./",
  plugins: [react(), fontFirst],
  build: {
    target: "es2022",
    assetsInlineLimit: 0, // the policy allows no `data:` but pictures
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1_000,
    reportCompressedSize: false,
  },
  server: { proxy: { "/graphql": server } },
  preview: { proxy: { "/graphql": server } },
});
